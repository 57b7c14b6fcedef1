"""A checkpoint: a folder whose `weights.safetensors` is, alone, everything that decodes.

    weights.safetensors   tensors (floats for training, frozen integers for coding); the header names codec and config
    checkpoint.json       provenance: step, corpus, metrics, versions, digest of the weights
    trainer.*             the optimiser's state (training/ owns it); absent from an exported model

The digest of a codec is the SHA-256 of `weights.safetensors`; bitstreams carry its first 8 bytes, archives keep the
file under its full digest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from pipeline.base.config import from_table, to_table
from pipeline.base.errors import CheckpointError, ConfigError, UsageError
from pipeline.base.store import Store, canonical_json, sha256_file, sha256_hex
from pipeline.codecs.interface import AbstractCodec
from pipeline.codecs.table import CodecSpec, find_codec, resolve

WEIGHTS = "weights.safetensors"
PROVENANCE = "checkpoint.json"
_HEADER = "diptych"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCodec:
    """A codec with the weights that a file holds, ready to code."""

    spec: CodecSpec
    codec: AbstractCodec
    weights_sha256: str
    """Hexadecimal, of the whole weights file."""

    @property
    def weights_digest(self) -> bytes:
        """The 8 bytes that a bitstream carries."""
        return bytes.fromhex(self.weights_sha256)[:8]


def build_codec(name: str, config: Any) -> AbstractCodec:
    """Build the codec `name` with fresh weights from its config dataclass (or table)."""
    spec = find_codec(name)
    if isinstance(config, Mapping):
        config = from_table(resolve(spec.config), config, where=f"config of codec {name}")  # type: ignore[arg-type]
    codec: AbstractCodec = resolve(spec.builder)(config)
    return codec


def save(store: Store, name: str, codec: AbstractCodec, *, provenance: Mapping[str, Any]) -> str:
    """Freeze a codec and write it as a checkpoint; return the SHA-256 of its weights file, hexadecimal.

    The weights appear first, `checkpoint.json` with their digest last. Raises: StorageError.
    """
    codec.freeze()
    # Moved to the CPU and made contiguous so that a checkpoint's bytes do not depend on where it was trained.
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in codec.state_dict().items()}
    header = canonical_json({"codec": name, "config": to_table(codec.config)}).decode()
    # One entry only: safetensors writes several in an order that changes from run to run, and with it the digest.
    data = safetensors.torch.save(tensors, metadata={_HEADER: header})
    store.write_bytes(WEIGHTS, data)
    digest = sha256_hex(data)
    store.write_bytes(PROVENANCE, canonical_json({**provenance, "codec": name, "weights_sha256": digest}))
    return digest


def load(path: str | Path, *, device: str | torch.device = "cpu") -> LoadedCodec:
    """Load a checkpoint folder or a weights file.

    Raises: CheckpointError: not there, not ours, damaged, or not for the codec that its header names.
    """
    file = Path(path)
    folder = file if file.is_dir() else None
    if folder is not None:
        file = folder / WEIGHTS
    if not file.is_file():
        raise CheckpointError(f"{path}: no checkpoint here (expected a folder with {WEIGHTS}, or such a file)")
    digest = sha256_file(file)
    if folder is not None:
        expected = read_provenance(folder).get("weights_sha256")
        if expected != digest:
            raise CheckpointError(f"{file}: sha256 is {digest[:16]}..., {PROVENANCE} says {str(expected)[:16]}...")
    try:
        with safetensors.safe_open(file, framework="pt") as reader:
            metadata = dict(reader.metadata() or {})
            tensors = {key: reader.get_tensor(key) for key in reader.keys()}  # noqa: SIM118 - not a dict
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: not a safetensors file ({error})") from error
    name, config = _parse_header(metadata, file)
    try:
        codec = build_codec(name, config)
        codec.load_state_dict(tensors, strict=True)
    except (RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{file}: does not fit the codec it names: {_first_line(error)}") from error
    try:
        codec.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"device {device}: {_first_line(error)}") from error
    return LoadedCodec(spec=find_codec(name), codec=codec, weights_sha256=digest)


def read_config(path: str | Path) -> tuple[str, Any]:
    """Return the name of the codec whose weights these are, and its config dataclass, without loading them.

    Raises: CheckpointError: there is no checkpoint, or not of a codec of ours.
    """
    file = Path(path)
    file = file / WEIGHTS if file.is_dir() else file
    if not file.is_file():
        raise CheckpointError(f"{path}: no checkpoint here (expected a folder with {WEIGHTS}, or such a file)")
    try:
        with safetensors.safe_open(file, framework="pt") as reader:
            name, config = _parse_header(dict(reader.metadata() or {}), file)
        return name, from_table(resolve(find_codec(name).config), config, where=f"config of codec {name}")  # type: ignore[arg-type]
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: not a safetensors file ({error})") from error
    except ConfigError as error:
        raise CheckpointError(f"{file}: {error}") from error


def _parse_header(metadata: Mapping[str, str], file: Path) -> tuple[str, dict[str, Any]]:
    """Return the codec's name and the table of its config."""
    try:
        header = json.loads(metadata[_HEADER])
        name, config = header["codec"], header["config"]
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{file}: a safetensors file, but not one of Diptych's (no codec in its header)"
        ) from error
    if not isinstance(name, str) or not isinstance(config, dict):
        raise CheckpointError(f"{file}: its header's codec and config must be a name and a table")
    return name, config


def read_provenance(folder: Path) -> dict[str, Any]:
    """Return `checkpoint.json`. Raises: CheckpointError: missing or not JSON."""
    try:
        table = json.loads((folder / PROVENANCE).read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: no readable {PROVENANCE} ({error})") from error
    if not isinstance(table, dict):
        raise CheckpointError(f"{folder / PROVENANCE}: expected a JSON object")
    return table


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300]
