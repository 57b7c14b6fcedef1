"""Maps that correct the choice among copies."""

import numpy as np
import pytest

from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.seec.neighbours import NUM_SOURCES
from pipeline.codecs.seec.refinement import NUM_BUCKETS, fresh_maps, learn, refine


def _refine(choice, num_colours, sources, key, maps, at):  # type: ignore[no-untyped-def]
    return refine(choice, num_colours, sources, key, maps, at)


def _learn(maps, at, hit):  # type: ignore[no-untyped-def]
    learn(maps, at, hit)


def a_choice(*sizes: int) -> np.ndarray:
    """Return the choice among len(sizes) - 1 colours, 10, 11, ..., and none."""
    choice = np.zeros((3, NUM_SOURCES + 1), np.int64)
    choice[0, : len(sizes)] = [*range(10, 9 + len(sizes)), -1]
    choice[2, : len(sizes)] = sizes
    choice[1, : len(sizes)] = np.cumsum([0, *sizes[:-1]])
    return choice


def coded_as(sizes: tuple[int, ...], maps, *, key: int = 0) -> tuple[int, np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    choice, at = a_choice(*sizes), np.zeros(4, np.int64)
    sources = np.full(NUM_SOURCES, 10, np.int32)
    best = compile_kernel(_refine)(choice, len(sizes) - 1, sources, np.uint64(key), maps, at)
    return best, choice[:, : len(sizes)], at


@pytest.mark.parametrize(
    "sizes", [(60000, 5536), (1, 65535), (65535, 1), (20000, 30000, 15536), (65533, 1, 1, 1), (1, 1, 1, 65533)]
)
@pytest.mark.parametrize("hit", [True, False])
def test_intervals_stay_whole_whatever_is_learnt(sizes: tuple[int, ...], hit: bool) -> None:
    maps = fresh_maps()
    for _ in range(3000):
        best, choice, at = coded_as(sizes, maps)
        assert choice[2].min() >= 1 and choice[2].sum() == 65536
        assert choice[1].tolist() == [0, *np.cumsum(choice[2])[:-1].tolist()]
        assert best == int(np.argmax(sizes[:-1]))
        compile_kernel(_learn)(maps, at, hit)
    share = choice[2, best] / 65536
    wanted = 1.0 if hit else 0.0
    assert abs(share - wanted) < abs(max(sizes[:-1]) / 65536 - wanted) / 2 + 0.002


def test_nothing_changes_before_anything_is_learnt() -> None:
    for sizes in ((60000, 5536), (20000, 30000, 15536), (7, 65529)):
        _, choice, _ = coded_as(sizes, fresh_maps())
        assert choice[2].tolist() == list(sizes)


def test_the_share_that_came_true_is_approached() -> None:
    rng = np.random.default_rng(0)
    maps = fresh_maps()
    for _ in range(4000):
        _, choice, at = coded_as((60000, 5536), maps)
        compile_kernel(_learn)(maps, at, bool(rng.random() < 0.6))
    # The network's own word keeps a quarter of the say.
    assert choice[2, 0] / 65536 == pytest.approx(0.75 * 0.6 + 0.25 * 60000 / 65536, abs=0.06)


def test_neighbourhoods_learn_apart() -> None:
    maps = fresh_maps()
    for _ in range(500):
        for key, hit in ((1 << 40, True), (2 << 40, False)):
            _, _, at = coded_as((50000, 15536), maps, key=key)
            compile_kernel(_learn)(maps, at, hit)
    shares = [coded_as((50000, 15536), maps, key=key)[1][2, 0] for key in (1 << 40, 2 << 40)]
    assert shares[0] > shares[1] + 20000


def test_without_proposals_there_is_nothing_to_refine() -> None:
    best, choice, _ = coded_as((65536,), fresh_maps())
    assert best == -1 and choice[2].tolist() == [65536]


def test_every_probability_has_a_bucket() -> None:
    seen = {int(coded_as((p, 65536 - p), fresh_maps())[2][0]) for p in [*range(1, 65536, 97), 65535, 65534, 32768]}
    assert min(seen) == 0 and max(seen) == NUM_BUCKETS - 1
