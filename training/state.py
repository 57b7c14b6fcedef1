"""All that a run has learned and where it is, and the folders that hold it.

checkpoints/step-00000200/
    trainer.safetensors   the optimisers' moments, by parameter name; with an average, the weights themselves too
    trainer.json          step, samples seen, what validations came to, config, corpus digest
    weights.safetensors   the codec, its averaged weights if there are any; written by pipeline.codecs.checkpoint
    checkpoint.json       written last, with the digests of the other three: a folder without it is not complete

best/ and final/ hold the last two alone: what decodes.
"""

import hashlib
import json
import logging
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pipeline.base.config import to_table
from pipeline.base.errors import CheckpointError, StorageError, UsageError
from pipeline.base.seeds import derive_seed
from pipeline.base.store import Store, canonical_json, sha256_file, sha256_hex
from pipeline.codecs import checkpoint
from pipeline.codecs.interface import AbstractCodec, Pretrainable, VariableRate
from training.averaging import WeightAverage
from training.config import TrainConfig, codec_config
from training.optim import Optimisers, build_optimisers, load_state_tensors, state_tensors
from training.validated import Validated

logger = logging.getLogger(__name__)

CHECKPOINTS, FINAL, BEST = "checkpoints", "final", "best"
TRAINER_TENSORS, TRAINER = "trainer.safetensors", "trainer.json"
_OWN = "/own"
"""Ends the names of the weights themselves, where weights.safetensors holds their average."""


@dataclass(slots=True, kw_only=True)
class TrainState:
    """A run at one step; the loop changes it in place."""

    codec: AbstractCodec
    optimisers: Optimisers
    step: int = 0
    """Steps taken, skipped ones included."""
    samples_seen: int = 0
    """Position in the sample order: all that the data loader needs."""
    num_repeats: int = 0
    num_skipped: int = 0
    skips_in_a_row: int = 0
    validated: Validated = field(default_factory=Validated)
    average: WeightAverage | None = None
    """With `ema_decay`."""

    def averaged(self) -> AbstractContextManager[None]:
        """Give the codec the weights that are validated and exported, while the block runs."""
        return nullcontext() if self.average is None else self.average.in_place(self.codec)


def fresh_state(
    config: TrainConfig, device: torch.device, *, trunk_weights: str = "", init_from: str = ""
) -> TrainState:
    """Return a run at step 0; same seed, same weights, on every rank.

    `trunk_weights`: path of a file with the first weights of a part of the codec; `init_from`: of a checkpoint with
    those of all of it, from a codec of the same config.
    Raises: UsageError: the codec has no such part, or the file is not there; CheckpointError: it is unfit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "weights"))
        codec = checkpoint.build_codec(config.codec, codec_config(config))
    if trunk_weights:
        start: object = codec
        if not isinstance(start, Pretrainable):
            raise UsageError(f"trunk_weights: codec {config.codec} has no trunk whose weights could be given")
        start.load_trunk(Path(trunk_weights))
    if config.rate_lambdas and isinstance(codec, VariableRate):
        codec.start_rates(config.rate_lambdas)
    if init_from:
        codec.load_state_dict(checkpoint.load(init_from).codec.state_dict())
    codec.to(device).train()
    state = TrainState(codec=codec, optimisers=build_optimisers(codec, config))
    state.average = WeightAverage(codec) if config.ema_decay else None
    return state


def save_state(out: Path, state: TrainState, config: TrainConfig, *, provenance: dict[str, Any]) -> Path:
    """Write the folder `out/checkpoints/step-XXXXXXXX`; return its path. Raises: StorageError."""
    folder = checkpoint_folder(out, state.step)
    store = Store(folder)
    # A damaged leftover of a killed run must not count as complete while its files are being replaced.
    store.remove(checkpoint.PROVENANCE)
    tensors = safetensors.torch.save(state_tensors(state.codec, state.optimisers) | _own_weights(state))
    position = {
        "step": state.step,
        "samples_seen": state.samples_seen,
        "num_repeats": state.num_repeats,
        "num_skipped": state.num_skipped,
        "skips_in_a_row": state.skips_in_a_row,
        "validated": asdict(state.validated),
        "config": to_table(config),
        "corpus_sha256": provenance["corpus_sha256"],
    }
    trainer = canonical_json(position)
    store.write_bytes(TRAINER_TENSORS, tensors)
    store.write_bytes(TRAINER, trainer)
    digests = {TRAINER_TENSORS: sha256_hex(tensors), TRAINER: sha256_hex(trainer)}
    _save_weights(store, state, config, provenance={**provenance, "trainer_sha256": digests})
    return folder


def save_best(out: Path, state: TrainState, config: TrainConfig, *, provenance: dict[str, Any]) -> None:
    """Write the folder `out/best`: the weights alone. Raises: StorageError."""
    store = Store(out / BEST)
    store.remove(checkpoint.PROVENANCE)
    _save_weights(store, state, config, provenance=provenance)


def frozen_digest(state: TrainState) -> bytes:
    """Freeze the codec as a checkpoint would; return a SHA-256 of all its weights and tables."""
    digest = hashlib.sha256()
    with state.averaged():
        state.codec.freeze()
        for name, tensor in state.codec.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    state.codec.train()
    return digest.digest()


def _save_weights(store: Store, state: TrainState, config: TrainConfig, *, provenance: dict[str, Any]) -> None:
    with state.averaged():
        checkpoint.save(store, config.codec, state.codec, provenance=provenance)
    state.codec.train()


def _own_weights(state: TrainState) -> dict[str, Tensor]:
    if state.average is None:
        return {}
    return {name + _OWN: tensor.detach().cpu().contiguous() for name, tensor in state.codec.named_parameters()}


def load_state(folder: Path, config: TrainConfig, device: torch.device) -> TrainState:
    """Return the run that `save_state` wrote. Raises: CheckpointError."""
    codec = checkpoint.load(folder, device=device).codec
    codec.train()
    optimisers = build_optimisers(codec, config)
    try:
        tensors = safetensors.torch.load_file(folder / TRAINER_TENSORS)
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{folder / TRAINER_TENSORS}: {error}") from error
    own = {name.removesuffix(_OWN): tensors.pop(name) for name in list(tensors) if name.endswith(_OWN)}
    load_state_tensors(codec, optimisers, tensors, where=str(folder / TRAINER_TENSORS))
    average = _load_average(codec, own, where=str(folder / TRAINER_TENSORS)) if config.ema_decay else None
    position = read_position(folder)
    return TrainState(
        codec=codec,
        optimisers=optimisers,
        step=position["step"],
        samples_seen=position["samples_seen"],
        num_repeats=position["num_repeats"],
        num_skipped=position["num_skipped"],
        # A run of an earlier release has neither.
        skips_in_a_row=position.get("skips_in_a_row", 0),
        validated=Validated(**position.get("validated", {})),
        average=average,
    )


def _load_average(codec: AbstractCodec, own: dict[str, Tensor], *, where: str) -> WeightAverage:
    """Take the codec's weights as the average, and give it its own."""
    average = WeightAverage(codec)
    parameters = dict(codec.named_parameters())
    if set(own) != set(parameters):
        raise CheckpointError(f"{where}: the weights beside their average are not those of the codec")
    with torch.no_grad():
        for name, parameter in parameters.items():
            if own[name].shape != parameter.shape:
                raise CheckpointError(f"{where}: {name} is {tuple(own[name].shape)}, not {tuple(parameter.shape)}")
            parameter.copy_(own[name])
    return average


def read_position(folder: Path) -> dict[str, Any]:
    """Return `trainer.json`: step, samples seen, config. Raises: CheckpointError."""
    try:
        table: dict[str, Any] = json.loads((folder / TRAINER).read_bytes())
        if not isinstance(table["step"], int) or not isinstance(table["config"], dict):
            raise TypeError("step or config has another type")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{folder / TRAINER}: not a trainer's state ({error})") from error
    return table


def checkpoint_folder(out: Path, step: int) -> Path:
    """Return where the checkpoint of step `step` belongs."""
    return out / CHECKPOINTS / f"step-{step:08d}"


def newest_complete(out: Path) -> Path | None:
    """Return the newest checkpoint folder whose files are all there and have their digests, or None."""
    for folder in reversed(_folders(out)):
        if _is_complete(folder):
            return folder
        logger.warning("%s: not complete, left aside", folder)
    return None


def export(folder: Path, out: Path) -> str:
    """Copy a checkpoint folder to the folder `out` without the trainer's state; return its weights' SHA-256.

    Raises: CheckpointError, StorageError.
    """
    provenance = checkpoint.read_provenance(folder)
    provenance.pop("trainer_sha256", None)
    store = Store(out)
    store.remove(checkpoint.PROVENANCE)
    store.write_bytes(checkpoint.WEIGHTS, Store(folder).read_bytes(checkpoint.WEIGHTS))
    store.write_bytes(checkpoint.PROVENANCE, canonical_json(provenance))
    return str(provenance["weights_sha256"])


def prune(out: Path, *, keep: int) -> None:
    """Remove all but the `keep` newest checkpoint folders. Raises: StorageError."""
    for folder in _folders(out)[:-keep]:
        try:
            # The marker goes first: half a folder must not look whole.
            (folder / checkpoint.PROVENANCE).unlink(missing_ok=True)
            shutil.rmtree(folder)
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror or error}") from error


def _folders(out: Path) -> list[Path]:
    return sorted((out / CHECKPOINTS).glob("step-*"))


def _is_complete(folder: Path) -> bool:
    if not (folder / checkpoint.PROVENANCE).is_file():
        return False
    try:
        provenance = checkpoint.read_provenance(folder)
        expected = {checkpoint.WEIGHTS: provenance["weights_sha256"], **provenance["trainer_sha256"]}
        return all(sha256_file(folder / name) == digest for name, digest in expected.items())
    except (CheckpointError, StorageError, KeyError, TypeError):
        return False
