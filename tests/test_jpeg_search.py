"""The search for a budget."""

import pytest

from pipeline.base.errors import PictureError
from pipeline.codecs.msroi_jpeg.search import within_budget


@pytest.mark.parametrize("power", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("first", [0.5, 1.0, 4.0])
def test_smooth_sizes_are_met_in_few_trials(power: float, first: float) -> None:
    trials = []

    def encode(setting: float) -> bytes:
        trials.append(setting)
        return bytes(int(100_000 / setting**power))

    for budget in (20_000, 150_000):
        trials.clear()
        data = within_budget(encode, budget, first=first, bounds=(0.1, 300.0))
        assert 0.99 * budget <= len(data) <= budget
        assert len(trials) <= 8


def test_steps_are_met_from_below() -> None:
    def encode(setting: float) -> bytes:
        return bytes(int(10_000 / max(1, int(setting))))

    assert len(within_budget(encode, 4_000, first=1.0, bounds=(0.5, 100.0))) == 3333


def test_what_no_setting_reaches_is_refused() -> None:
    with pytest.raises(PictureError, match="the least that this encoder needs is 10"):
        within_budget(lambda setting: bytes(int(1000 / setting)), 5, first=1.0, bounds=(0.5, 100.0))


def test_a_budget_above_the_largest_file_gives_the_largest() -> None:
    assert len(within_budget(lambda setting: bytes(int(1000 / setting)), 10**6, first=1.0, bounds=(0.5, 100.0))) > 1980
