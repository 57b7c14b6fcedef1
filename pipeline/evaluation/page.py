"""The report's HTML: small builders that escape every text they are given, and the one page around them.

The page is one file: no script, nothing fetched from anywhere, which its content security policy states to browsers.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STYLE = Path(__file__).parent / "report.css"
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure of the headline."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the page; `body` is HTML, all else is text."""

    anchor: str
    title: str
    body: str
    tiles: tuple[Tile, ...] = ()


def text(value: object) -> str:
    """Return any value as HTML text; control characters, which may steer a terminal or a reader, are replaced."""
    plain = "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in str(value)
    )
    return html.escape(plain, quote=True)


def paragraph(words: object, *, kind: str = "") -> str:
    """Return a paragraph of text, with a CSS class if `kind` is given."""
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def absent(what: str) -> str:
    """Return the line that stands where something was not given or is not there."""
    return paragraph(what, kind="absent")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "", text_columns: int = 1) -> str:
    """Return a table; the first `text_columns` are words, the others numbers, set right-aligned."""

    def line(cells: Sequence[object], tag: str) -> str:
        kinds = ["" if place < text_columns else ' class="number"' for place in range(len(cells))]
        scope = ' scope="col"' if tag == "th" else ""
        return (
            "<tr>" + "".join(f"<{tag}{scope}{k}>{text(c)}</{tag}>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"
        )

    # Tables of words may break anywhere, such as inside long file names; figures and their names stay whole.
    kind = ' class="words"' if text_columns > 1 else ""
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    body = "".join(line(row, "td") for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{text(caption or head[0])}">'
        f"<table{kind}>{title}<thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Mapping[str, object]) -> str:
    """Return a list of names and values."""
    return "<dl>" + "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in pairs.items()) + "</dl>"


def image(uri: str, *, alt: str, size: tuple[int, int], kind: str = "") -> str:
    """Return an `img` of a `data:` URI; `size` is (width, height) in CSS pixels."""
    if not uri.startswith("data:"):
        raise ValueError("a report shows nothing from elsewhere; expected a data: URI")
    return f'<img class="{kind}" src="{text(uri)}" alt="{text(alt)}" width="{size[0]}" height="{size[1]}">'


def bullets(words: Iterable[object]) -> str:
    """Return a list of notes."""
    return '<ul class="note">' + "".join(f"<li>{text(one)}</li>" for one in words) + "</ul>"


def figure(body: str, *, caption: str, detail: str = "", kind: str = "") -> str:
    """Return HTML with a caption and, smaller, a detail below; both are text."""
    small = f"<small>{text(detail)}</small>" if detail else ""
    return f'<figure class="{kind}">{body}<figcaption><b>{text(caption)}</b>{small}</figcaption></figure>'


def grid(parts: Iterable[str], *, kind: str) -> str:
    """Return parts laid out beside each other as far as the width allows; `scroll` in `kind` scrolls by keyboard."""
    focus = ' tabindex="0" role="group"' if "scroll" in kind.split() else ""
    return f'<div class="{kind}"{focus}>{"".join(parts)}</div>'


def folded(title: str, body: str) -> str:
    """Return HTML that opens on demand."""
    return f"<details><summary>{text(title)}</summary>{body}</details>"


def code(words: str) -> str:
    """Return preformatted text."""
    return f'<pre tabindex="0">{text(words)}</pre>'


def document(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return the whole page."""
    links = "".join(f'<a href="#{text(section.anchor)}">{text(section.title)}</a>' for section in sections)
    tiles = "".join(_tile(tile) for section in sections for tile in section.tiles)
    bodies = "".join(
        f'<section id="{text(section.anchor)}"><h2>{text(section.title)}</h2>{section.body}</section>'
        for section in sections
    )
    headline = f'<div class="tiles">{tiles}</div>' if tiles else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>"
        f'<header><div class="mark" aria-hidden="true"><i></i><i></i></div><div><h1>{text(title)}</h1>'
        f'<p>{text(lead)}</p></div></header><nav aria-label="Sections">{links}</nav>'
        f"<main>{headline}{bodies}</main></body></html>\n"
    )


def _tile(tile: Tile) -> str:
    return (
        f'<div class="tile"><span>{text(tile.label)}</span><strong>{text(tile.value)}</strong>'
        f"<small>{text(tile.note)}</small></div>"
    )
