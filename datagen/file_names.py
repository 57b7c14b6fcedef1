"""Files as people have them: kinds, names, sizes, dates."""

from dataclasses import dataclass

from datagen.canvas import Colour
from datagen.texts import TextBank, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of file."""

    name: str
    """As a file manager's column says it."""
    endings: tuple[str, ...] = ()
    colour: Colour = (130, 136, 148)
    sign: str = ""
    """Icon on its sheet."""


KINDS = {
    "folder": Kind(name="Folder"),
    "image": Kind(
        name="Image", endings=("jpg", "jpg", "jpg", "png", "webp", "heic"), colour=(56, 142, 60), sign="image"
    ),
    "video": Kind(name="Video", endings=("mp4", "mov", "mkv"), colour=(123, 63, 190), sign="play"),
    "pdf": Kind(name="PDF document", endings=("pdf",), colour=(211, 47, 47)),
    "text": Kind(name="Document", endings=("docx", "odt", "md", "txt"), colour=(33, 103, 210)),
    "sheet": Kind(name="Spreadsheet", endings=("xlsx", "csv", "ods"), colour=(22, 130, 73), sign="table"),
    "slides": Kind(name="Presentation", endings=("pptx", "odp"), colour=(216, 91, 41), sign="chart"),
    "archive": Kind(name="Archive", endings=("zip", "tar.gz", "7z"), colour=(176, 137, 40), sign="layers"),
    "audio": Kind(name="Audio", endings=("mp3", "flac", "wav"), colour=(200, 50, 120), sign="music"),
    "code": Kind(name="Source code", endings=("py", "rs", "js", "toml", "json"), colour=(70, 80, 100), sign="branch"),
}

_FOLDER_COLOURS: tuple[Colour, ...] = (
    (247, 200, 86),
    (242, 186, 73),
    (92, 169, 240),
    (80, 150, 225),
    (66, 133, 244),
    (150, 158, 170),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file as a file manager lists it."""

    kind: str
    """Key of KINDS."""
    name: str
    size: str
    date: str


def folder_colour(text: TextBank) -> Colour:
    """Return the colour that a system gives its folders."""
    return _FOLDER_COLOURS[text.number(0, len(_FOLDER_COLOURS))]


def make_file(text: TextBank, kind: str) -> File:
    """Return a file of a kind with a name, size and date as people have them."""
    return File(kind=kind, name=_name(text, kind), size=_size(text, kind), date=_date(text))


def _name(text: TextBank, kind: str) -> str:
    style = text.number(0, 5)
    if kind == "folder":
        if style < 2:
            return plural(text.noun()).capitalize()
        return (text.label(2), f"{text.place()} {text.number(2012, 2027)}", text.noun())[style - 2]
    ending = text.pick(KINDS[kind].endings)
    if kind not in ("image", "video"):
        return f"{_title(text, style)}.{ending}"
    if style == 0:
        return f"IMG_{text.number(1, 9999):04d}.{ending}"
    if style == 1:
        return f"DSC{text.number(1, 99999):05d}.{ending}"
    if style == 2:
        day = f"{text.number(2015, 2026)}{text.number(1, 13):02d}{text.number(1, 29):02d}"
        return f"{day}_{text.number(0, 240000):06d}.{ending}"
    return f"{text.place()}-{text.number(1, 60)}.{ending}" if style == 3 else f"{text.noun()} {text.noun()}.{ending}"


def _title(text: TextBank, style: int) -> str:
    if style == 0:
        return text.label(2)
    if style == 1:
        return f"{text.noun()}_{text.noun()}"
    if style == 2:
        return f"{text.noun().capitalize()} {text.place()} {text.number(2015, 2027)}"
    return f"{text.noun()}-v{text.number(1, 9)}" if style == 3 else text.noun()


def _size(text: TextBank, kind: str) -> str:
    if kind == "folder":
        return f"{text.number(1, 90)} items"
    amount = text.number(10, 9800)
    if kind == "video":
        return f"{amount / 10:,.1f} MB"
    if kind in ("code", "text"):
        return f"{max(1, amount // 60)} KB"
    return f"{amount / 400:.1f} MB" if amount > 600 else f"{amount} KB"


def _date(text: TextBank) -> str:
    day = text.number(0, 6)
    return f"{('Today', 'Yesterday')[day] if day < 2 else text.date()}, {text.clock()}"
