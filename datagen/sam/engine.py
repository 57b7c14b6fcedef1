"""Segment Anything over many pictures: encoded in batches, the next batch prepared while this one is at work."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import torch

from datagen.masks_config import MasksConfig
from datagen.sam import generate
from datagen.sam.checkpoint import digest_of, located
from datagen.sam.decoder import PointDecoder
from datagen.sam.masks import SamMask
from datagen.sam.model import load_sam, model_name
from pipeline.base.errors import CheckpointError, MissingDependency, UsageError
from pipeline.formats.picture import Pixels

if TYPE_CHECKING:
    from torch import Tensor

_T = TypeVar("_T")
_TIMED_MASKS = 4
_MASKS_A_PROMPT = 3
_ACCEPTED = 0.2
"""Share of masks that a trained network expects to be good, about."""


class Segmenter:
    """A loaded network and how it is asked."""

    def __init__(self, config: MasksConfig) -> None:
        """Raises: MissingDependency; UsageError: no such device; CheckpointError: not the checkpoint that is meant."""
        assert config.sam_checkpoint is not None
        self.config = config
        self._sam, self.model, self.digest = _loaded(config.sam_checkpoint, _device(config.sam_device))
        if config.sam_model not in ("auto", self.model):
            raise CheckpointError(
                f"{config.sam_checkpoint}: holds {self.model}, masks.sam_model says {config.sam_model}"
            )
        on_gpu = self._sam.device.type == "cuda"
        self._bf16 = config.sam_precision == "bf16" or (config.sam_precision == "auto" and on_gpu)
        if self._bf16 and not on_gpu:
            raise UsageError("masks.sam_precision bf16 needs a GPU; on a CPU it is slower and less exact")

    def describe(self) -> str:
        """Return what made the masks, for `how_masked`."""
        config = self.config
        parts = [
            f"sam {self.model} sha256={self.digest[:12]} points_per_side={config.sam_points_per_side}",
            f"pred_iou>{config.sam_pred_iou_thresh:g} stability>={config.sam_stability_score_thresh:g}",
            f"offset={config.sam_stability_score_offset:g} nms={config.sam_box_nms_thresh:g}",
        ]
        if config.sam_crop_layers:
            parts.append(
                f"crop_layers={config.sam_crop_layers} overlap={config.sam_crop_overlap_ratio:.4g} "
                f"downscale={config.sam_crop_points_downscale_factor}"
            )
        parts += [f"min_mask_area={config.sam_min_mask_area}"] * (config.sam_min_mask_area > 0)
        return " ".join([*parts, *["bf16"] * self._bf16])

    def masks(self, pictures: Iterable[Pixels]) -> Iterator[list[SamMask]]:
        """Give the masks of each picture (H, W, 3), largest first; `sam_batch_pictures` are encoded at a time.

        Pictures are read and the network works on threads of their own, ahead of what the caller does with the masks.
        """
        return ahead(self._masks(pictures))

    def _masks(self, pictures: Iterable[Pixels]) -> Iterator[list[SamMask]]:
        left = iter(pictures)
        with ThreadPoolExecutor(max_workers=1) as thread:
            ahead = thread.submit(self._prepare, list(islice(left, self.config.sam_batch_pictures)))
            while True:
                batch, inputs, counts = ahead.result()
                if not batch:
                    return
                ahead = thread.submit(self._prepare, list(islice(left, self.config.sam_batch_pictures)))
                # `no_grad` for as long as nothing is handed out: a generator keeps such a mode while it is suspended.
                with torch.no_grad():
                    features = list(torch.split(generate.encode(self._sam, inputs, bf16=self._bf16), counts))
                for picture, own in zip(batch, features, strict=True):
                    with torch.no_grad():
                        found = generate.masks_of(self._sam, self.config, picture, own)
                    # The order in which they were found depends on batches of prompts; size and place do not.
                    yield sorted(found, key=lambda one: (-one.num_pixels, one.area))

    def expected_seconds(self, shape: tuple[int, int]) -> float:
        """Return about how long a picture of (H, W) takes here; one pass of the encoder and of prompts is timed."""
        picture = np.zeros((*shape, 3), dtype=np.uint8)
        count = min(self.config.sam_points_per_batch, generate.num_prompts(self.config, shape))
        with torch.no_grad():
            started = time.monotonic()
            features = generate.encode(self._sam, generate.prepared(self._sam, picture)[None], bf16=self._bf16)
            encoding = time.monotonic() - started
            started = time.monotonic()
            decoder = PointDecoder(self._sam, features)
            scored = decoder.score(torch.zeros((count, 2), device=self._sam.device))
            scored.predicted_iou_BM.cpu()
            asking = time.monotonic() - started
            side = self._sam.image_encoder.img_size
            started = time.monotonic()
            chosen = torch.zeros((_TIMED_MASKS, 2), dtype=torch.long, device=self._sam.device)
            generate.enlarged(decoder, scored, chosen, side, (generate.input_size(side, shape), shape)).cpu()
            drawing = (time.monotonic() - started) / _TIMED_MASKS
        crops, prompts = len(generate.crops_of(self.config, picture)), generate.num_prompts(self.config, shape)
        kept = _ACCEPTED * _MASKS_A_PROMPT * prompts
        return crops * encoding + asking * generate.num_batches(self.config, shape) + kept * drawing

    def _prepare(self, batch: list[Pixels]) -> tuple[list[Pixels], "Tensor", list[int]]:
        looked = [
            [generate.part(picture, crop.area) for crop in generate.crops_of(self.config, picture)] for picture in batch
        ]
        inputs = [generate.prepared(self._sam, part) for parts in looked for part in parts]
        stacked = torch.stack(inputs) if inputs else torch.empty(0)
        return batch, stacked, [len(parts) for parts in looked]


def ahead(items: Iterator[_T]) -> Iterator[_T]:
    """Give the items of an iterator, the next one being made on a thread while the caller is busy with this one."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, items, end)
        while (item := following.result()) is not end:
            following = thread.submit(next, items, end)
            yield cast(_T, item)


def _device(wanted: str) -> str:
    """Return a device that numbers can be held on. Raises: UsageError: nothing can be computed on it here."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        # There and back: some devices that torch knows by name hold no numbers.
        torch.zeros(1, device=wanted).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        found = str(error).strip().partition("\n")[0]
        raise UsageError(f"masks.sam_device {wanted!r}: cannot be used here ({found})") from error
    return wanted


@lru_cache(maxsize=1)
def _loaded(checkpoint: str, device: str) -> tuple[Any, str, str]:
    """Return the network on its device, its name, and its file's digest; a process holds one."""
    path = located(checkpoint)
    digest = digest_of(Path(path))
    try:
        sam = load_sam(path)
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{error.name} is not installed; pip install 'diptych[sam]'") from error
    return sam.to(device), model_name(sam), digest
