"""Shell sessions: rows that a terminal can hold, styles that it can colour, words of one split."""

import numpy as np
import pytest

from datagen.canvas import Canvas
from datagen.console import choose_look, wrap
from datagen.shell import write_manual, write_monitor, write_session
from datagen.shell_commands import run, styled
from datagen.texts import TextBank, words_of
from datagen.theme import choose_theme


def bank(seed: int) -> TextBank:
    return TextBank(words_of("train"), np.random.default_rng(seed))


def test_markup_becomes_spans_and_loses_nothing_else() -> None:
    assert styled("a <green>b<plain> c") == [("a ", "plain"), ("b", "green"), (" c", "plain")]
    assert styled("") == []
    assert styled("<red>x") == [("x", "red")]


@pytest.mark.parametrize("num_rows", [1, 5, 40])
def test_a_session_fits_its_rows_and_ends_in_an_open_prompt(num_rows: int) -> None:
    for seed in range(20):
        rows = write_session(bank(seed), num_rows)
        assert 1 <= len(rows) <= num_rows
        assert "".join(text for text, _ in rows[-1]).endswith(" ")


def test_programs_that_fill_the_screen_fill_it() -> None:
    for seed in range(10):
        assert len(write_monitor(bank(seed), 30, 100)) == 30
        manual = write_manual(bank(seed), 24, 80)
        assert len(manual) == 24
        assert max(len("".join(text for text, _ in row)) for row in manual) <= 80


def test_every_style_that_is_written_has_a_colour() -> None:
    rng = np.random.default_rng(0)
    theme = choose_theme(rng, Canvas(8, 8, (0, 0, 0)), dark_share=0.5)
    colours = choose_look(rng, theme).colours
    text = bank(1)
    rows = [row for _ in range(200) for row in run(text)[1]]
    for seed in range(60):
        rows += write_session(bank(seed), 4) + write_monitor(bank(seed), 20, 90) + write_manual(bank(seed), 20, 90)
    assert {style.rpartition("_")[2] for row in rows for _, style in row} <= colours.keys()


def test_rows_are_cut_where_the_terminal_ends() -> None:
    wrapped = wrap([[("abcde", "red"), ("fgh", "plain")], []], 3)
    assert wrapped == [[("abc", "red")], [("de", "red"), ("f", "plain")], [("gh", "plain")], []]
