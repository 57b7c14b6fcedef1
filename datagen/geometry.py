"""Rectangles on a whole-pixel grid."""

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle: left and top edge, width and height, in pixels."""

    # A tuple, since a frozen dataclass takes three times as long to make.

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.y + self.height

    def inset(self, dx: int, dy: int | None = None) -> "Box":
        """Return the box without a margin of `dx` at the sides and `dy` (default `dx`) above and below."""
        dy = dx if dy is None else dy
        return box(self.x + dx, self.y + dy, max(0, self.width - 2 * dx), max(0, self.height - 2 * dy))

    def cut_left(self, width: int) -> tuple["Box", "Box"]:
        """Return the left part of at most `width` and the rest."""
        width = min(max(0, width), self.width)
        return (
            box(self.x, self.y, width, self.height),
            box(self.x + width, self.y, self.width - width, self.height),
        )

    def cut_right(self, width: int) -> tuple["Box", "Box"]:
        """Return the right part of at most `width` and the rest."""
        rest, part = self.cut_left(self.width - min(max(0, width), self.width))
        return part, rest

    def cut_top(self, height: int) -> tuple["Box", "Box"]:
        """Return the upper part of at most `height` and the rest."""
        height = min(max(0, height), self.height)
        return (
            box(self.x, self.y, self.width, height),
            box(self.x, self.y + height, self.width, self.height - height),
        )

    def cut_bottom(self, height: int) -> tuple["Box", "Box"]:
        """Return the lower part of at most `height` and the rest."""
        rest, part = self.cut_top(self.height - min(max(0, height), self.height))
        return part, rest

    def columns(self, num_columns: int, gap: int) -> list["Box"]:
        """Return equal columns with `gap` pixels between them; the last takes the remainder."""
        width = (self.width - gap * (num_columns - 1)) // num_columns
        boxes = [box(self.x + i * (width + gap), self.y, width, self.height) for i in range(num_columns)]
        last = boxes[-1]
        return [*boxes[:-1], box(last.x, last.y, self.right - last.x, last.height)]

    def rows(self, num_rows: int, gap: int) -> list["Box"]:
        """Return equal rows with `gap` pixels between them; the last takes the remainder."""
        height = (self.height - gap * (num_rows - 1)) // num_rows
        boxes = [box(self.x, self.y + i * (height + gap), self.width, height) for i in range(num_rows)]
        last = boxes[-1]
        return [*boxes[:-1], box(last.x, last.y, last.width, self.bottom - last.y)]

    def centred(self, width: int, height: int) -> "Box":
        """Return a box of the given size in the middle of this one."""
        return box(self.x + (self.width - width) // 2, self.y + (self.height - height) // 2, width, height)

    def moved(self, dx: int, dy: int) -> "Box":
        """Return the box shifted by (dx, dy)."""
        return box(self.x + dx, self.y + dy, self.width, self.height)

    def intersection(self, other: "Box") -> "Box":
        """Return the common part; its width or height is 0 if there is none."""
        x, y, width, height = self
        left, top, wide, high = other
        first, above = max(x, left), max(y, top)
        last, below = min(x + width, left + wide), min(y + height, top + high)
        return box(first, above, max(0, last - first), max(0, below - above))


def box(x: int, y: int, width: int, height: int) -> Box:
    """Return a Box; the short form for layouts."""
    # Without the check of arguments that `Box(...)` makes: a screen takes some seven hundred.
    return _new(Box, (x, y, width, height))


_new = tuple.__new__
