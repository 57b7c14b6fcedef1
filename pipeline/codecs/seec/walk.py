"""Coding pixels: what is the same for the encoder and the decoder, which take every step together.

Shapes: H, W picture; P pixels of a step; F side features.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.base.errors import TruncatedBitstream
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.intervals import IntervalReader, IntervalWriter
from pipeline.codecs.seec import step_kernels
from pipeline.codecs.seec.config import PATCH, SeecConfig
from pipeline.codecs.seec.fields import FieldSet, Step, bands, groups, patch_counts
from pipeline.codecs.seec.frozen_pixels import FrozenPixels
from pipeline.codecs.seec.integer_linear import Hidden
from pipeline.codecs.seec.neighbours import NUM_COPY_FEATURES, NUM_DENSE, NUM_KEYS, NUM_SOURCES
from pipeline.codecs.seec.networks import NUM_TAP_INPUTS, PixelNetworks
from pipeline.codecs.seec.refinement import fresh_maps

Features = Callable[[int, int], NDArray[np.int16]]
"""(first patch, number of patches) -> their side features (patches, 64, 64, F)."""

_PIXELS_A_THREAD = 512
"""Fewer are not worth handing over."""


class StepCoder(Protocol):
    """One side of coding."""

    def step(self, canvas: Any, places: Any, pixels: Any, model: Any) -> None:
        """Code a step's pixels; `pixels` starts with their colours, read or written."""


class StepEncoder:
    """Collects what is to be written."""

    def __init__(self, num_classes: int) -> None:
        self.writer = IntervalWriter()
        self.bits = np.zeros(num_classes)
        """By class: what its pixels cost."""

    def step(self, canvas: Any, places: Any, pixels: Any, model: Any) -> None:
        intervals = np.empty((step_kernels.MAX_INTERVALS * places.shape[1], 2), dtype=np.uint16)
        count = compile_kernel(step_kernels.encode_step)(canvas, places, pixels, model, (intervals, self.bits))
        self.writer.add(intervals[:count])


class StepDecoder:
    """Reads what was written."""

    def __init__(self, data: bytes) -> None:
        self.reader = IntervalReader(data)

    def step(self, canvas: Any, places: Any, pixels: Any, model: Any) -> None:
        stream = (self.reader.words, self.reader.place)
        compile_kernel(step_kernels.decode_step)(canvas, places, pixels, model, stream)
        if self.reader.is_exhausted:
            raise TruncatedBitstream("the stream of pixels ends before its last one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """All that both sides know before the first pixel."""

    config: SeecConfig
    frozen: FrozenPixels
    kinds: NDArray[np.uint8]
    """(H, W) 2 * class + (1 where the pixel is exact)."""
    background_step: int
    features: Features | None
    threads: int = 1
    """How many share a step of many pixels; the numbers are the same."""

    def run(self, colours: NDArray[np.int32], coder: StepCoder) -> None:
        """Take all steps; `colours` (H, W) are coded, or filled in, and are what decodes afterwards."""
        height, width = self.kinds.shape
        in_patch = self.config.context == "patch"
        sets = groups(height, width) if in_patch else bands(height, width, copies=self.config.copies)
        with ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            stepper = _Stepper(self, pool)
            for fields in sets:
                stepper.enter(fields)
                for step in fields.steps:
                    stepper.take(step, colours, coder)


class _Stepper:
    """The networks and buffers of one walk."""

    def __init__(self, walk: Walk, pool: ThreadPoolExecutor) -> None:
        self._walk = walk
        self._pool = pool
        config = walk.config
        self._in_patch = config.context == "patch"
        self._networks = walk.frozen.running()
        self._tables = walk.frozen.tables.load()
        self._maps = fresh_maps()
        layouts = [PixelNetworks.layout_of(config, of_class) for of_class in range(config.num_classes)]
        self._layouts = np.array([[each.num_copies, each.num_mixtures, each.multichannel] for each in layouts])
        self._num_outputs = max(each.num_outputs for each in layouts)
        self._across = patch_counts(*walk.kinds.shape)[1]
        self._fields: FieldSet | None = None
        self._features: NDArray[np.int16] | None = None

    def enter(self, fields: FieldSet) -> None:
        """Turn to the next fields."""
        self._fields = fields
        if self._walk.features is not None:
            self._features = self._walk.features(fields.first_patch, fields.num_patches)

    def take(self, step: Step, colours: NDArray[np.int32], coder: StepCoder) -> None:
        """Predict a step's pixels and code them."""
        assert self._fields is not None
        canvas = self._fields.canvas.arrays
        num_pixels = len(step.rows)
        kinds = self._walk.kinds[step.rows, step.columns]
        classes = (kinds >> 1).astype(np.uint8)
        base = np.zeros((num_pixels, 3), dtype=np.int32)
        keys = np.zeros((num_pixels, NUM_KEYS), dtype=np.uint64)
        sources = np.full((num_pixels, NUM_SOURCES), -1, dtype=np.int32)
        if self._in_patch:
            inputs = np.empty((num_pixels, NUM_TAP_INPUTS), dtype=np.int16)
            compile_kernel(step_kernels.gather_taps)(canvas[0], step.places, inputs)
        else:
            copies = classes == self._walk.config.copying_class
            inputs = np.empty((num_pixels, NUM_DENSE + NUM_COPY_FEATURES), dtype=np.int16)
            outs = (inputs, base, keys, sources)
            compile_kernel(step_kernels.gather)(canvas, step.places, copies, self._fields.limits, outs)
        outputs = self._shared_outputs(inputs, classes, self._side(step))
        pixels = (colours[step.rows, step.columns], kinds, base, keys, sources)
        model = (outputs, self._layouts, self._tables, self._walk.background_step, self._maps)
        coder.step(canvas, step.places, pixels, model)
        colours[step.rows, step.columns] = pixels[0]

    def _side(self, step: Step) -> Hidden | None:
        if self._features is None or self._fields is None:
            return None
        patch = step.rows // PATCH * self._across + step.columns // PATCH - self._fields.first_patch
        side: Hidden = self._features[patch, step.rows % PATCH, step.columns % PATCH]
        return side

    def _shared_outputs(self, x: Hidden, classes: NDArray[np.uint8], side: Hidden | None) -> NDArray[np.int32]:
        """Return `_outputs`, computed by several threads where that is worth it."""
        threads = min(self._walk.threads, len(x) // _PIXELS_A_THREAD)
        if threads < 2:
            return self._outputs(x, classes, side)
        bounds = [len(x) * part // threads for part in range(threads + 1)]
        slices = [slice(low, high) for low, high in pairwise(bounds)]
        tasks = [(x[each], classes[each], None if side is None else side[each]) for each in slices]
        return np.concatenate(list(self._pool.map(lambda task: self._outputs(*task), tasks)))

    def _outputs(self, x: Hidden, classes: NDArray[np.uint8], side: Hidden | None) -> NDArray[np.int32]:
        """Return each pixel's head's outputs, (P, most outputs of a class)."""
        present = np.flatnonzero(np.bincount(classes, minlength=1))
        shared = None
        if self._in_patch and side is not None:
            shared = self._networks.shared(np.concatenate([x, side], axis=1))
        outputs = np.zeros((len(classes), self._num_outputs), dtype=np.int32)
        for of_class in present:
            which = np.flatnonzero(classes == of_class)
            of_side, of_shared = (None if each is None else each[which] for each in (side, shared))
            of_head = self._head(x[which], of_side, of_shared, int(of_class))
            outputs[which, : of_head.shape[1]] = of_head
        return outputs

    def _head(self, x: Hidden, side: Hidden | None, shared: Hidden | None, of_class: int) -> NDArray[np.int32]:
        if shared is None:
            if of_class != self._walk.config.copying_class:
                x = np.ascontiguousarray(x[:, :NUM_DENSE])
            shared = self._networks.shared(x if side is None else np.concatenate([x, side], axis=1))
        return self._networks.head(shared, of_class)
