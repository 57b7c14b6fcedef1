"""What pictures show, as those say who made them: class names from containers and tables, or a folder's name.

A WebDataset tar holds them as a sibling member (`7.cls` beside `7.jpg`: a number or a name, one a line, or a JSON list)
or in the sibling JSON; a parquet file, or a table beside the files, has a column of them.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

MEMBERS = ("classes", "class", "cls")
"""Endings of tar members that hold class names; of several the first counts."""
FIELDS = (*MEMBERS, "labels", "label")
"""Keys of JSON and names of columns; the first that holds a usable name counts."""
REASONS = ("label_not_text", "label_too_long", "label_unprintable")
"""Why a label is left out; its picture stays."""
MAX_CHARACTERS = 100
"""Longer labels are captions, not names of classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The class names that come with a picture."""

    names: tuple[str, ...] = ()
    """Different printable names; () = nobody says."""
    faults: tuple[str, ...] = ()
    """`REASON what was found` for each label that is left out."""

    def before(self, other: "Stated") -> "Stated":
        """Return this, or if it names nothing the other, with the faults of both."""
        return self if self.names else Stated(names=other.names, faults=(*self.faults, *other.faults))


def class_names(row: Mapping[str, Any]) -> Stated:
    """Return what a JSON object or a table's row (keys in lower case) says that its picture shows."""
    found = Stated()
    for field in FIELDS:
        found = found.before(read_names(row.get(field)))
    return found


def folder_name(name: str, container: str = "") -> Stated:
    """Return the name of the folder that the picture `name` lies in; none for one at the top.

    `container`: tar or parquet file, by the name that starts `name`. It is no folder: what counts is the folder inside
    it, else the one that it lies in itself.
    """
    inner = name.removeprefix(f"{container}/") if container else name
    folder = PurePosixPath(inner).parent.name or PurePosixPath(container).parent.name
    return read_names(folder)


def read_names(value: object) -> Stated:
    """Return the names in a value of any kind: text, a whole number, a list of them, or the bytes of a tar member."""
    names: dict[str, None] = {}
    faults = []
    for label in _labels(value):
        text = _text(label)
        if text is None:
            faults.append(f"label_not_text {_brief(label)} is no name and no whole number")
        elif len(text) > MAX_CHARACTERS:
            faults.append(f"label_too_long {_brief(text)} has {len(text)} characters, {MAX_CHARACTERS} at most may be")
        elif not text.isprintable():
            faults.append(f"label_unprintable {_brief(text)} holds a character that cannot be printed")
        elif text:
            names[text] = None
    return Stated(names=tuple(names), faults=tuple(faults))


def _labels(value: object) -> Iterator[object]:
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield value
            return
        value = _json_list(value) or value.splitlines()
    elif isinstance(value, str):
        value = _json_list(value) or value
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _json_list(text: str) -> list[object] | None:
    """Return the JSON list that a text is, as cells of CSV tables hold several names; None: it is something else."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _text(label: object) -> str | None:
    """Return a label as text, "" for one that says nothing; None: it is of another kind."""
    if label is None or (isinstance(label, float) and math.isnan(label)):
        return ""
    if isinstance(label, str):
        return label.strip()
    # Columns of whole numbers with gaps come as floats.
    whole = isinstance(label, int) or (isinstance(label, float) and label.is_integer())
    return f"{label:.0f}" if whole and not isinstance(label, bool) else None


def _brief(label: object) -> str:
    text = ascii(label)
    return text if len(text) <= 40 else f"{text[:37]}..."
