"""Finding captured screens, in the order of their capture."""

import json
from pathlib import Path

from datagen.sources.examine import examine_screen
from datagen.sources.gather import Search, found, gather
from datagen.sources.model import Found
from datagen.sources.photos import pictures
from datagen.sources.places import is_remote, read_range
from datagen.sources.seen import Seen
from pipeline.base.errors import StorageError
from pipeline.base.progress import Progress

CAPTURE_LOG = "capture.jsonl"


def find_captured(folder: str, *, seen: Seen | None = None, progress: Progress | None = None) -> Found:
    """Return the captured screens in `folder`, in the order of capture; those with the same pixels count once.

    Raises: UsageError: no folder, or no usable picture in it.
    """
    search = Search(
        kind="screen",
        key="captured",
        place=folder,
        licence="unknown",
        examine=examine_screen,
        seen=seen or Seen(),
        progress=progress,
    )
    files, tables = pictures(search, containers=False)
    order = _capture_order(folder)
    files.sort(key=lambda file: (order.get(file.name.rpartition("/")[2], len(order)), file.name))
    return found(search, gather(search, files, tables))


def _capture_order(folder: str) -> dict[str, int]:
    """Return each captured file's place in time, from the capture log if there is one."""
    path = f"{folder.rstrip('/')}/{CAPTURE_LOG}"
    if is_remote(folder) or not Path(path.removeprefix("file://")).is_file():
        return {}
    try:
        lines = read_range(path.removeprefix("file://")).decode(errors="replace").splitlines()
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    places: dict[str, int] = {}
    for place, line in enumerate(lines):
        try:
            places.setdefault(str(json.loads(line)["file"]), place)
        except (ValueError, KeyError, TypeError):
            # A capture that was killed may leave its last line unfinished; the order is a convenience.
            continue
    return places
