"""What a stage tells the person who waits: how far it is, what it refused, and why.

A stage takes a `Progress` and never writes to the terminal itself. `open_progress` gives a rich bar on stderr;
`Tally` alone serves tests and worker processes.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichBar


class Progress(Protocol):
    """Receives a stage's progress."""

    def total(self, num_items: int) -> None:
        """Say how many items there are, as soon as it is known."""

    def advance(self, num_items: int = 1) -> None:
        """Count items as done."""

    def reject(self, reason: str, num_items: int = 1) -> None:
        """Count items as refused, by reason code; they are not counted as done."""

    def note(self, text: str) -> None:
        """Show a short status beside the bar, such as the current loss."""


class Tally:
    """Counts done and rejected items; the silent `Progress`."""

    def __init__(self) -> None:
        self.num_total = 0
        self.num_done = 0
        self.rejected: Counter[str] = Counter()

    def total(self, num_items: int) -> None:
        self.num_total = num_items

    def advance(self, num_items: int = 1) -> None:
        self.num_done += num_items

    def reject(self, reason: str, num_items: int = 1) -> None:
        self.rejected[reason] += num_items

    def note(self, text: str) -> None:
        """Ignored."""

    def summary(self, noun: str) -> str:
        """Return such as `4096 samples, 12 rejected (too_small 9, no_photo 3)`."""
        text = f"{self.num_done} {noun}"
        if self.rejected:
            reasons = ", ".join(f"{reason} {count}" for reason, count in self.rejected.most_common())
            text += f", {self.rejected.total()} rejected ({reasons})"
        return text


class BarProgress(Tally):
    """A rich progress bar on stderr that also tallies; it shows once the total is known."""

    def __init__(self, bar: RichBar, title: str) -> None:
        super().__init__()
        self._bar = bar
        self._task = bar.add_task(title, total=None, visible=False, note="")

    def total(self, num_items: int) -> None:
        super().total(num_items)
        self._bar.update(self._task, total=num_items, visible=True)

    def advance(self, num_items: int = 1) -> None:
        super().advance(num_items)
        self._bar.update(self._task, advance=num_items)

    def reject(self, reason: str, num_items: int = 1) -> None:
        super().reject(reason, num_items)
        # A refused item is behind us too: the bar moves, the count of done items does not.
        self._bar.update(self._task, advance=num_items)

    def note(self, text: str) -> None:
        self._bar.update(self._task, note=text)


@contextmanager
def open_progress(title: str, *, quiet: bool = False) -> Iterator[BarProgress]:
    """Show a progress bar on stderr while the block runs; `quiet` keeps the tally and shows nothing.

    Where stderr is no terminal, one line with the counts at the end stands for the bar.
    """
    console = Console(stderr=True)
    bar = RichBar(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    with bar:
        progress = BarProgress(bar, title)
        yield progress
    if not quiet and not console.is_terminal:
        console.print(f"{title.strip()}: {progress.summary('done')}", highlight=False, markup=False)
