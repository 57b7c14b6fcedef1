"""Progress: counts, and a bar that shows whatever a file is called."""

import io

from rich.console import Console

from pipeline.base import progress as module
from pipeline.base.progress import Tally, open_progress


def test_a_summary_counts_what_was_done_and_refused_by_reason() -> None:
    tally = Tally()
    tally.total(5)
    tally.advance(2)
    tally.reject("too_small", 2)
    tally.reject("no_photo")
    assert tally.summary("samples") == "2 samples, 3 rejected (too_small 2, no_photo 1)"


def test_a_bar_survives_a_name_that_looks_like_markup(monkeypatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(module, "Console", lambda **_: Console(file=shown, force_terminal=True, width=120))
    with open_progress("evaluate") as progress:
        progress.total(2)
        progress.note("dir[/b].png")
        progress.advance()
        progress.reject("truncated")
    assert "dir[/b].png" in shown.getvalue()
    assert "2/2" in shown.getvalue()


def test_without_a_terminal_one_line_stands_for_the_bar(capsys) -> None:
    with open_progress("datagen") as progress:
        progress.total(1)
        progress.advance()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "datagen: 1 done\n")
