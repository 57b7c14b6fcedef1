"""Finding texts and source files, each examined and without copies."""

import hashlib
from collections import Counter
from collections.abc import Callable

from datagen.documents import TEXT_SUFFIXES, DocumentError, read_code, read_text
from datagen.fonts import BUILT_IN
from datagen.highlighting import LANGUAGES
from datagen.sources.examine import Examined
from datagen.sources.gather import Gathered, Search, found, gather
from datagen.sources.model import Found, RefusedSource
from datagen.sources.places import list_files, without_secrets
from datagen.sources.provenance import Tables
from datagen.sources.seen import Seen
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress

_COMMON = 0.002
"""Share of a text's letters from which a letter counts: a foreign word in a book does not."""
_HIDDEN = ("node_modules/", ".git/", "__pycache__/", ".venv/", "dist/", "build/")


def find_texts(
    place: str,
    *,
    covers: Callable[[str], bool] = BUILT_IN.covers,
    seen: Seen | None = None,
    progress: Progress | None = None,
) -> Found:
    """Return the text files of `place`, not yet dealt to splits.

    One whose common letters the typefaces do not have, as `covers` says, is refused as `no_typeface`: characters that
    none has are left out of a line, and the page would be empty. Raises: UsageError: none can be used.
    """
    search = Search(
        kind="text",
        key="texts",
        place=place,
        licence="unknown",
        examine=examine_text,
        same="words",
        seen=seen or Seen(),
        progress=progress,
    )
    gathered = _gather(search, TEXT_SUFFIXES)
    drawable = {letter: covers(letter) for one in gathered.candidates for letter in one.examined.message}
    candidates, refused = [], list(gathered.refused)
    for one in gathered.candidates:
        name = one.planned.source.name
        missing = next((letter for letter in one.examined.message if not drawable[letter]), "")
        if missing:
            message = f"{name}: no typeface here has {missing!r} (U+{ord(missing):04X})"
            refused.append(RefusedSource(name=name, reason="no_typeface", message=message))
        else:
            candidates.append(one)
    return found(search, Gathered(candidates=tuple(candidates), refused=tuple(refused)))


def find_code(place: str, *, seen: Seen | None = None, progress: Progress | None = None) -> Found:
    """Return the source files of `place`; what is left out of one is refused as `secret_lines` and `long_lines`.

    Raises: UsageError: none can be used.
    """
    search = Search(
        kind="code",
        key="code",
        place=place,
        licence="unknown",
        examine=examine_code,
        same="lines",
        seen=seen or Seen(),
        progress=progress,
    )
    gathered = _gather(search, frozenset(LANGUAGES))
    left_out = [
        RefusedSource(name=one.planned.source.name, reason=reason, message=f"{one.planned.source.name}: {said}")
        for one in gathered.candidates
        for reason, said in _left_out(one.examined.message)
    ]
    return found(search, Gathered(candidates=gathered.candidates, refused=(*gathered.refused, *left_out)))


def examine_text(data: bytes, *, sha256: str, where: str) -> Examined:
    """Return whether a file is a text to read, and its common letters (as its message)."""
    try:
        document = read_text(data)
    except DocumentError as error:
        return Examined(sha256=sha256, reason=error.reason, message=f"{where}: {error}")
    words = " ".join(sentence for paragraph in document.paragraphs for sentence in paragraph)
    letters = Counter(filter(str.isalpha, words))
    common = "".join(sorted(letter for letter, count in letters.items() if count >= _COMMON * letters.total()))
    return Examined(sha256=sha256, shown_sha256=hashlib.sha256(words.encode()).hexdigest(), message=common)


def examine_code(data: bytes, *, sha256: str, where: str) -> Examined:
    """Return whether a file is source code to show, and how many lines are left out (`SECRET LONG` as its message)."""
    try:
        document = read_code(data)
    except DocumentError as error:
        return Examined(sha256=sha256, reason=error.reason, message=f"{where}: {error}")
    shown = "\n".join(line.strip() for line in document.lines if line.strip())
    return Examined(
        sha256=sha256,
        shown_sha256=hashlib.sha256(shown.encode()).hexdigest(),
        message=f"{document.num_secret_lines} {document.num_long_lines}",
    )


def _left_out(message: str) -> list[tuple[str, str]]:
    num_secret, num_long = map(int, message.split())
    left_out = [("secret_lines", f"{num_secret} line(s) that look like keys are left out")] if num_secret else []
    return [*left_out, ("long_lines", f"{num_long} over-long line(s) are left out")] if num_long else left_out


def _gather(search: Search, suffixes: frozenset[str]) -> Gathered:
    listed = list_files(search.place, search.key)
    files = [
        file
        for file in listed
        if "." + file.name.lower().rpartition(".")[2] in suffixes
        and not any(f"/{file.name}".find(f"/{folder}") >= 0 for folder in _HIDDEN)
    ]
    if not files:
        raise UsageError(f"{without_secrets(search.place)}: holds no files of {', '.join(sorted(suffixes))}")
    return gather(search, files, Tables(listed))
