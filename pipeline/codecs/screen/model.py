"""What a strip's kernels remember, and the size of each part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.screen import mixing, tables

Ints = NDArray[np.int64]
Words = NDArray[np.int32]

NUM_CONTEXTS = 6
"""Hashed neighbourhoods."""
NUM_MATCHES = 2
NUM_NEAR = 4
"""W, N, NW, NE as proposals."""
NUM_SOURCES = NUM_CONTEXTS + NUM_MATCHES + NUM_NEAR
MAX_DECISIONS = 8
"""Proposals that are asked for before a colour counts as new."""
MAX_FAST_DECISIONS = 4
MAX_CANDIDATES = 2 * NUM_SOURCES
NUM_CONFIDENCES = 64
NUM_RELATIONS = 6
NUM_INPUTS = NUM_SOURCES + 6
NUM_TAPS = 24
LEFT, TOP, RIGHT = 8, 3, 8
"""Columns and rows of the canvas around the strip."""


class Tools(NamedTuple):
    """The coder and the tables, as the kernels take them."""

    state: Ints
    buffer: NDArray[np.uint8]
    squash: NDArray[np.int32]
    stretch: NDArray[np.int16]
    reciprocal: NDArray[np.int32]
    cost: NDArray[np.int32]


class Canvas(NamedTuple):
    """The strip's pixels with a border, flat."""

    colours: NDArray[np.int32]
    is_new: NDArray[np.uint8]
    """1: coded as a new colour."""
    errors: NDArray[np.int16]
    """(3, size): residual by channel in the order G, R, B; 0 where a colour was copied."""
    shape: Ints
    """Height, width, stride, size."""

    def pixels(self) -> NDArray[np.int32]:
        """Return the view (H, W) of the strip's own colours."""
        _, width, stride, _ = self.shape
        return self.colours.reshape(-1, stride)[TOP:, LEFT : LEFT + width]


class Copies(NamedTuple):
    """What proposes colours, and how sure."""

    slots: Ints
    """(contexts * 2^bits): colour A (24), colour B (24), run of A (6), last two (2), check (7)."""
    slot_bits: int
    matches: NDArray[np.int32]
    match_bits: int
    match: Ints
    confidence: NDArray[np.uint32]
    relation: NDArray[np.uint32]
    direct: NDArray[np.uint32]
    weights: Words
    apm: Words
    flat_weights: Words
    flat_apm: Words
    flat: NDArray[np.uint32]
    run_levels: Ints


class Fresh(NamedTuple):
    """New colours: bit by bit, or as residuals."""

    tree: NDArray[np.uint32]
    tree_weights: Words
    tree_apm: Words
    counters: NDArray[np.uint32]
    weights: Words
    apm: Words
    lms: Words
    squares: Ints
    products: Ints
    solutions: Ints
    turns: Ints
    misses: Ints
    bias: Ints
    signed: Ints
    energy: Ints
    low: NDArray[np.uint32]
    excess: NDArray[np.uint32]
    arms: Ints
    """(contexts * 4): bits, 8 of them fractional, that a pixel took by copies, by residuals; a new one by tree, by
    residuals."""


class Scratch(NamedTuple):
    """Working space of one pixel."""

    inputs: Words
    places: Ints
    sources: Ints
    """(3 * sources): colour A, colour B, confidence."""
    of_source: Ints
    """(2 * sources): the candidate that A and B are, or -1."""
    candidates: Ints
    """(2 * MAX_CANDIDATES): colours, then scores (-1: rejected)."""
    near: Ints
    taps: Words
    basis: Ints
    channel: Ints
    hashes: Ints


HALF = np.uint32(1 << 31)


def counters(count: int) -> NDArray[np.uint32]:
    return np.full(count, HALF, dtype=np.uint32)


def weights(num_sets: int, start: float) -> Words:
    return np.full((num_sets, mixing.STRIDE), int(start * 65536 / 2), dtype=np.int32)


def refining_map(num: int) -> Words:
    steps = np.clip(np.arange(mixing.APM_STEPS + 1) * 128 - 3072, -tables.MAX_STRETCH, tables.MAX_STRETCH)
    row = tables.squash_table()[steps + tables.MAX_STRETCH].astype(np.int64)
    return np.tile(row, (num, 1)).astype(np.int32)


NUM_NODES = 32
NUM_ENERGIES = 24
NUM_BASIS = 16
NUM_FRESH = 11
"""Counters that a residual's decision mixes."""
FRESH_CONTEXTS = 2048
TREE_BITS = 16
NUM_TREE = 8


class Model(NamedTuple):
    """All of one strip."""

    tools: Tools
    canvas: Canvas
    copies: Copies
    fresh: Fresh
    scratch: Scratch


def new_canvas(height: int, width: int) -> Canvas:
    stride = width + LEFT + RIGHT
    size = (height + TOP) * stride
    return Canvas(
        colours=np.zeros(size, dtype=np.int32),
        is_new=np.zeros(size, dtype=np.uint8),
        errors=np.zeros((3, size), dtype=np.int16),
        shape=np.array([height, width, stride, size], dtype=np.int64),
    )


def new_model(height: int, width: int, state: Ints, buffer: NDArray[np.uint8]) -> Model:
    """Return a model that has seen nothing."""
    bits = min(max((height * width).bit_length(), 10), 18)
    lms = np.zeros((3, NUM_TAPS), dtype=np.int32)
    for channel in range(3):
        lms[channel, 18] = 40000
        lms[channel, 21] = lms[channel, 22] = 10000
    return Model(
        tools=Tools(
            state, buffer, tables.squash_table(), tables.stretch_table(), tables.reciprocal_table(), tables.cost_table()
        ),
        canvas=new_canvas(height, width),
        copies=Copies(
            slots=np.zeros(NUM_CONTEXTS << bits, dtype=np.int64),
            slot_bits=bits,
            matches=np.zeros(1 << bits, dtype=np.int32),
            match_bits=bits,
            match=np.zeros(8, dtype=np.int64),
            confidence=counters(NUM_SOURCES * NUM_CONFIDENCES * 2),
            relation=counters(NUM_SOURCES * NUM_CONFIDENCES * NUM_RELATIONS * 3),
            direct=counters(4 << 16),
            weights=weights(64 + 256, 0.25),
            apm=refining_map(1024),
            flat_weights=weights(64 + 64, 0.4),
            flat_apm=refining_map(1024),
            flat=counters(8 << 16),
            run_levels=tables.run_levels(),
        ),
        fresh=Fresh(
            tree=counters(NUM_TREE << 18),
            tree_weights=weights(3 * 256 + 64, 0.3),
            tree_apm=refining_map(3 * 256),
            counters=counters(NUM_FRESH * 3 * FRESH_CONTEXTS * NUM_NODES),
            weights=weights(3 * NUM_NODES + 3 * NUM_ENERGIES * 4, 0.25),
            apm=refining_map(3 * NUM_ENERGIES * NUM_NODES),
            lms=lms,
            squares=np.zeros((3, NUM_BASIS, NUM_BASIS), dtype=np.int64),
            products=np.zeros((3, NUM_BASIS), dtype=np.int64),
            solutions=np.zeros((3, NUM_BASIS), dtype=np.int64),
            turns=np.zeros(3, dtype=np.int64),
            misses=np.zeros((3, 2), dtype=np.int64),
            bias=np.zeros((6, 2048), dtype=np.int64),
            signed=tables.signed_levels(),
            energy=tables.energy_levels(),
            low=counters(3 * 8 * 8 * 4),
            excess=counters(3 * 256),
            arms=np.tile(np.array([2048, 4096, 4096, 4096], dtype=np.int64), 1024),
        ),
        scratch=Scratch(
            inputs=np.zeros(mixing.STRIDE, dtype=np.int32),
            places=np.zeros(32, dtype=np.int64),
            sources=np.zeros(3 * NUM_SOURCES, dtype=np.int64),
            of_source=np.zeros(2 * NUM_SOURCES, dtype=np.int64),
            candidates=np.zeros(2 * MAX_CANDIDATES, dtype=np.int64),
            near=np.zeros(16 * 3, dtype=np.int64),
            taps=np.zeros(NUM_TAPS, dtype=np.int32),
            basis=np.zeros(NUM_BASIS, dtype=np.int64),
            channel=np.zeros(64, dtype=np.int64),
            hashes=np.zeros(8, dtype=np.int64),
        ),
    )
