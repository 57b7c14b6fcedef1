"""The config of the screen codec; free of torch."""

from dataclasses import dataclass
from typing import Literal

Effort = Literal["default", "fast"]
EFFORTS: tuple[Effort, ...] = ("default", "fast")
"""In the order of their numbers in the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenConfig:
    """How much the encoder does. The stream says which effort it has, so any screen codec decodes both.

    Raises: ValueError: there is no such effort.
    """

    effort: Effort = "default"
    """`default`: all contexts; `fast`: few, for several times the speed and some more bytes."""

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise ValueError(f"effort must be one of {', '.join(EFFORTS)}, got {self.effort!r}")
