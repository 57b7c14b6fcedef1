"""Known colours: who proposes which, and the decisions whether one of them is right."""

from typing import Any

import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.mixing import IS_FAST, counter_probability, mixed_bit, update
from pipeline.codecs.screen.model import (
    MAX_CANDIDATES,
    MAX_DECISIONS,
    MAX_FAST_DECISIONS,
    NUM_CONFIDENCES,
    NUM_CONTEXTS,
    NUM_MATCHES,
    NUM_RELATIONS,
    NUM_SOURCES,
)
from pipeline.codecs.screen.neighbourhoods import LENGTH, MISSES, POINTER, spread

_COLOUR = (1 << 24) - 1
_M2, _M3 = 0x297A2D39AC4F1BCB, 0x165667B19E3779F9
_LIMIT = 250
_FAST_CONTEXTS = 0b001010


@inlined
def _propose(scratch: Any, colour: Any, score: Any) -> Any:
    """Add a colour to the candidates, or its score to what it has; return its place."""
    candidates = scratch.candidates
    count = scratch.places[31]
    for i in range(count):
        if candidates[i] == colour:
            if candidates[MAX_CANDIDATES + i] >= 0:
                candidates[MAX_CANDIDATES + i] += score
            return i
    candidates[count] = colour
    candidates[MAX_CANDIDATES + count] = score
    scratch.places[31] = count + 1
    return count


@inlined
def _score(model: Any, source: Any, confidence: Any, which: Any) -> Any:
    probability = counter_probability(model.copies.confidence[(source * NUM_CONFIDENCES + confidence) * 2 + which])
    return max(np.int64(model.tools.stretch[probability]) + 2300, 1)


@inlined
def gather_sources(model: Any, at: Any, hashes: Any, excluded: Any) -> None:
    """Fill the sources' colours and confidences, and the candidates."""
    copies, scratch, colours = model.copies, model.scratch, model.canvas.colours
    stride = model.canvas.shape[2]
    sources, of_source = scratch.sources, scratch.of_source
    scratch.places[31] = 0
    if excluded >= 0:
        _propose(scratch, excluded, np.int64(-1))
        scratch.candidates[MAX_CANDIDATES] = -1
    mask = (1 << copies.slot_bits) - 1
    is_fast = model.tools.state[IS_FAST]
    for i in range(NUM_CONTEXTS):
        if is_fast and not _FAST_CONTEXTS >> i & 1:
            of_source[i] = of_source[NUM_SOURCES + i] = -1
            sources[2 * NUM_SOURCES + i] = 0
            continue
        slot = copies.slots[(i << copies.slot_bits) + (hashes[i] & mask)]
        check = ((hashes[i] >> 40) & 127) | 1
        a = b = np.int64(-1)
        confidence = np.int64(0)
        if slot >> 56 == check:
            a = slot & _COLOUR
            b = (slot >> 24) & _COLOUR
            confidence = copies.run_levels[(slot >> 48) & 63] * 4 + ((slot >> 54) & 3)
            of_source[i] = _propose(scratch, a, _score(model, i, confidence, 0))
            if a == b:
                b = np.int64(-1)
                of_source[NUM_SOURCES + i] = -1
            else:
                of_source[NUM_SOURCES + i] = _propose(scratch, b, _score(model, i, confidence, 1))
        else:
            of_source[i] = of_source[NUM_SOURCES + i] = -1
        sources[2 * NUM_SOURCES + i] = confidence
    for i in range(NUM_MATCHES):
        source = NUM_CONTEXTS + i
        pointer = copies.match[4 * i + POINTER]
        confidence = np.int64(0)
        of_source[source] = of_source[NUM_SOURCES + source] = -1
        if pointer > 0:
            length = copies.match[4 * i + LENGTH]
            confidence = copies.run_levels[min(length, 63)] * 4 + min(copies.match[4 * i + MISSES], 3)
            of_source[source] = _propose(scratch, np.int64(colours[pointer]), _score(model, source, confidence, 0))
        sources[2 * NUM_SOURCES + source] = confidence
    above = at - stride
    west, north = np.int64(colours[at - 1]), np.int64(colours[above])
    north_west, north_east = np.int64(colours[above - 1]), np.int64(colours[above + 1])
    pattern = np.int64(0)
    if west == north_west:
        pattern |= 1
    if north == north_west:
        pattern |= 2
    if north == north_east:
        pattern |= 4
    if west == colours[at - 2]:
        pattern |= 8
    if north == colours[above - stride]:
        pattern |= 16
    if west == north:
        pattern |= 32
    for i in range(4):
        source = NUM_CONTEXTS + NUM_MATCHES + i
        colour = west if i == 0 else north if i == 1 else north_west if i == 2 else north_east
        of_source[source] = _propose(scratch, colour, _score(model, source, pattern, 0))
        of_source[NUM_SOURCES + source] = -1
        sources[2 * NUM_SOURCES + source] = pattern
    scratch.places[30] = pattern


@inlined
def code_copy(model: Any, at: Any, hashes: Any, first: Any, colour: Any) -> Any:
    """Ask for the candidates one by one; return the colour, or -1 for a new one. `first` counts decisions before."""
    copies, scratch, tools = model.copies, model.scratch, model.tools
    candidates, of_source, sources = scratch.candidates, scratch.of_source, scratch.sources
    inputs, places = scratch.inputs, scratch.places
    canvas = model.canvas
    above = at - canvas.shape[2]
    pattern = places[30]
    fresh = (
        np.int64(canvas.is_new[at - 1])
        + np.int64(canvas.is_new[above])
        + np.int64(canvas.is_new[above - 1])
        + np.int64(canvas.is_new[above + 1])
    )
    count = places[31]
    for decision in range(first, MAX_FAST_DECISIONS if tools.state[IS_FAST] else MAX_DECISIONS):
        best, score = -1, np.int64(0)
        for i in range(count):
            if candidates[MAX_CANDIDATES + i] > score:
                best, score = i, candidates[MAX_CANDIDATES + i]
        if best < 0:
            return np.int64(-1)
        candidate = candidates[best]
        phase = min(decision, 2)
        agree = 0
        where = 0
        for i in range(NUM_SOURCES):
            a = of_source[i]
            relation = 0
            if a == best:
                relation = 1
                if i < NUM_CONTEXTS:
                    agree += 1
                elif i >= NUM_CONTEXTS + NUM_MATCHES:
                    where |= 1 << (i - NUM_CONTEXTS - NUM_MATCHES)
            elif a >= 0:
                if of_source[NUM_SOURCES + i] == best:
                    relation = 2
                elif candidates[MAX_CANDIDATES + a] < 0:
                    relation = 3
                else:
                    relation = 4
            place = ((i * NUM_CONFIDENCES + sources[2 * NUM_SOURCES + i]) * NUM_RELATIONS + relation) * 3 + phase
            places[i] = place
            inputs[i] = 0 if relation == 0 else tools.stretch[counter_probability(copies.relation[place])]
        n = NUM_SOURCES
        places[n] = (pattern << 6) | (where << 2) | phase
        places[n + 1] = (1 << 16) + (spread(candidate * _M2 + hashes[3] + phase) & 65535)
        places[n + 2] = (2 << 16) + (spread(candidate * _M3 + hashes[2] + phase) & 65535)
        places[n + 3] = (3 << 16) + ((fresh * 16 + where) * 16 + agree) * 16 + decision
        for i in range(n, n + 4):
            inputs[i] = tools.stretch[counter_probability(copies.direct[places[i]])]
        is_new: Any = min(fresh, 3)
        sets = (
            decision * 8 + agree,
            64 + phase * 64 + where * 4 + is_new,
            phase * 128 + where * 8 + agree,
            12,
        )
        is_it = mixed_bit(tools, inputs, (copies.weights, copies.apm), sets, np.int64(candidate == colour))
        for i in range(NUM_SOURCES):
            if inputs[i] != 0 or of_source[i] >= 0:
                update(copies.relation, places[i], is_it, tools.reciprocal, _LIMIT)
        for i in range(n, n + 4):
            update(copies.direct, places[i], is_it, tools.reciprocal, _LIMIT)
        if is_it:
            return candidate
        candidates[MAX_CANDIDATES + best] = -1
    return np.int64(-1)


@inlined
def learn(model: Any, hashes: Any, colour: Any) -> None:
    """Store a pixel's colour under its contexts."""
    copies, scratch, tools = model.copies, model.scratch, model.tools
    of_source, candidates, sources = scratch.of_source, scratch.candidates, scratch.sources
    mask = (1 << copies.slot_bits) - 1
    is_fast = tools.state[IS_FAST]
    for i in range(NUM_SOURCES):
        confidence = sources[2 * NUM_SOURCES + i]
        place = (i * NUM_CONFIDENCES + confidence) * 2
        a, b = of_source[i], of_source[NUM_SOURCES + i]
        is_a = a >= 0 and candidates[a] == colour
        is_b = b >= 0 and candidates[b] == colour
        if a >= 0:
            update(copies.confidence, place, np.int64(is_a), tools.reciprocal, _LIMIT)
        if b >= 0:
            update(copies.confidence, place + 1, np.int64(is_b), tools.reciprocal, _LIMIT)
        if i < NUM_CONTEXTS and not (is_fast and not _FAST_CONTEXTS >> i & 1):
            at_slot = (i << copies.slot_bits) + (hashes[i] & mask)
            check = ((hashes[i] >> 40) & 127) | 1
            slot = copies.slots[at_slot]
            run, last = (slot >> 48) & 63, (slot >> 54) & 3
            first, second = slot & _COLOUR, (slot >> 24) & _COLOUR
            if a < 0:
                if slot != 0 and run > 1:
                    # Another context's slot: it is worn down before it is taken.
                    copies.slots[at_slot] = slot - (np.int64((run + 1) >> 1) << 48)
                    continue
                run, last, first, second = np.int64(0), np.int64(0), colour, colour
            elif is_a:
                run, last = min(run + 1, 63), (last << 1) & 3
            elif is_b:
                last = ((last << 1) & 3) | 1
                if run >= 4:
                    run >>= 1
                else:
                    run = np.int64(0)
                    first, second = second, first
            else:
                last = ((last << 1) & 3) | 1
                if run >= 4:
                    run >>= 1
                    second = colour
                else:
                    run = np.int64(0)
                    second = first
                    first = colour
            copies.slots[at_slot] = first | (second << 24) | (run << 48) | (last << 54) | (check << 56)
