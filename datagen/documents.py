"""Texts people wrote: cut into paragraphs and sentences; and source files: without secrets and endless lines."""

import re
from dataclasses import dataclass

MAX_TEXT_BYTES = 1 << 19
"""What is read of one text; a long book has more pages than a corpus shows of it."""
MAX_CODE_BYTES = 1 << 18
MAX_LINE = 300
"""Characters of a line of code; longer ones are data or were made by a program."""
_MIN_SENTENCES = 5
_SENTENCE = (8, 320)
_HEADLINE = (8, 110)

TEXT_SUFFIXES = frozenset({".txt", ".md", ".markdown", ".rst"})

_END_OF_SENTENCE = re.compile(
    r"(?<=[.!?\u2026\u061f\u0964])[\"'\u201d\u2019\u00bb)]*\s+|(?<=[\u3002\uff01\uff1f])(?![\u300d\u300f\u201d])"
)
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKDOWN_SIGNS = re.compile(r"(\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))")
_FENCE = re.compile(r"^(```|~~~).*?^(```|~~~)\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"^[=\-~^*_#]{3,}$")
_LIST_OR_QUOTE = re.compile(r"^\s*(?:[-*+>]|\d{1,3}[.)])\s+")
_NO_PROSE = re.compile(r"^\s*(<|\||!\[|\.\. |:\w+:|\$ )")

_SECRET_LINE = re.compile(
    r"""AKIA[0-9A-Z]{16}|\bgh[pousr]_\w{30,}|\bglpat-[\w-]{20,}|\bxox[abeprs]-[\w-]{10,}|AIza[\w-]{35}|\bsk-[\w-]{20,}
    |\beyJ[\w-]{10,}\.[\w-]{10,}|\b[a-z][a-z0-9+.-]*://[^/\s:@"']+:[^/\s@"']+@|\b(?=\S*\d)(?=\S*[A-Z])(?=\S*[a-z])[A-Za-z0-9+/=_-]{48,}
    |(?i:pass(word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)\w*["']?\s*[:=]+\s*["'][^"'\s]{8,}["']
    """,
    re.VERBOSE,
)
_SECRET_FILE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")


class DocumentError(ValueError):
    """A file that holds nothing to show; `reason` is a short stable code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDocument:
    """What one text says."""

    headlines: tuple[str, ...]
    """Its headings; of a text without any, the beginnings of its paragraphs."""
    paragraphs: tuple[tuple[str, ...], ...]
    """Sentences by paragraph; none is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDocument:
    """A source file's lines without those that nobody should see."""

    lines: tuple[str, ...]
    num_secret_lines: int
    num_long_lines: int


def read_text(data: bytes) -> TextDocument:
    """Return the text of a file's bytes, of whatever script. Raises: DocumentError: `not_text`, `too_short`."""
    text = _FENCE.sub("", _decode(data[:MAX_TEXT_BYTES]))
    headlines: list[str] = []
    paragraphs = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = [line.strip() for line in block.split("\n") if line.strip() and not _NO_PROSE.match(line)]
        heading = _heading(lines)
        if heading is not None:
            headlines.append(heading)
            continue
        lines = [match.group(1) if (match := _HEADING.match(line)) else line for line in lines]
        sentences = _sentences(" ".join(_LIST_OR_QUOTE.sub("", line) for line in lines))
        if sentences:
            paragraphs.append(tuple(sentences))
    if sum(map(len, paragraphs)) < _MIN_SENTENCES:
        raise DocumentError("too_short", f"{sum(map(len, paragraphs))} sentences, {_MIN_SENTENCES} or more are wanted")
    headlines = [line for line in headlines if _HEADLINE[0] <= len(line) <= _HEADLINE[1]]
    return TextDocument(headlines=tuple(headlines or map(_opening, paragraphs)), paragraphs=tuple(paragraphs))


def read_code(data: bytes) -> CodeDocument:
    """Return a source file's lines, tabs as 4 spaces.

    Raises: DocumentError: `not_text`, `secrets` (a private key), `generated` (long lines throughout), `too_short`.
    """
    text = _decode(data[:MAX_CODE_BYTES])
    if _SECRET_FILE.search(text):
        raise DocumentError("secrets", "holds a private key")
    lines = [line.expandtabs(4).rstrip() for line in text.splitlines()]
    short = [line for line in lines if len(line) <= MAX_LINE]
    kept = tuple(line for line in short if not _SECRET_LINE.search(line))
    num_long = len(lines) - len(short)
    if num_long > max(2, len(lines) // 10):
        raise DocumentError("generated", f"{num_long} of {len(lines)} lines are longer than {MAX_LINE} characters")
    if sum(bool(line.strip()) for line in kept) < _MIN_SENTENCES:
        raise DocumentError("too_short", f"{len(kept)} lines, {_MIN_SENTENCES} or more are wanted")
    return CodeDocument(lines=kept, num_secret_lines=len(short) - len(kept), num_long_lines=num_long)


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in data:
        raise DocumentError("not_text", "holds zero bytes; it is no text")
    # Only the cut at the end may fall within a character.
    text = data.decode(encoding, errors="ignore" if len(data) >= MAX_CODE_BYTES else "replace")
    if text.count("\ufffd") > len(text) // 200:
        raise DocumentError("not_text", "not UTF-8 or UTF-16")
    return text.replace("\ufffd", "")


def _heading(lines: list[str]) -> str | None:
    """Return the text of a block that is a heading: Markdown's, underlined, or a short line without a full stop."""
    if len(lines) == 1 and (match := _HEADING.match(lines[0])):
        return _plain(match.group(1))
    if len(lines) == 2 and _UNDERLINE.match(lines[1]):
        return _plain(lines[0])
    return None


def _sentences(text: str) -> list[str]:
    parts = (part.strip() for part in _END_OF_SENTENCE.split(_plain(text)))
    return [part for part in parts if _SENTENCE[0] <= len(part) <= _SENTENCE[1] and any(map(str.isalpha, part))]


def _plain(text: str) -> str:
    return " ".join(_MARKDOWN_SIGNS.sub("", _MARKDOWN_LINK.sub(r"\1", text)).split())


def _opening(paragraph: tuple[str, ...]) -> str:
    words = paragraph[0].rstrip(".!?\u3002").split()
    return " ".join(words[:8])[:60]
