"""Icons of files and folders in colour, and previews of documents."""

from functools import lru_cache

from datagen import shapes, typesetting
from datagen.canvas import Canvas, Colour
from datagen.file_names import KINDS
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.shapes import Mask
from datagen.texts import TextBank
from datagen.theme import Theme, mix

_WHITE: Colour = (255, 255, 255)
_PAPER: Colour = (250, 250, 252)


def folder(canvas: Canvas, area: Box, colour: Colour) -> None:
    """Draw a folder as large as `area` allows."""
    side = min(area.width, area.height)
    square = area.centred(side, side)
    radius = max(1.0, side * 0.06)
    back = mix(colour, (0, 0, 0), 0.14)
    top = square.y + round(side * 0.18)
    canvas.rounded(box(square.x, top, round(side * 0.46), round(side * 0.2)), back, radius)
    body = box(square.x, top + round(side * 0.09), side, round(side * 0.58))
    canvas.rounded(body, back, radius)
    front = body.cut_bottom(round(side * 0.5))[0]
    canvas.gradient(front, mix(colour, _WHITE, 0.12), colour, radius=radius)
    canvas.mark(box(square.x, top, side, body.bottom - top))


def sheet(canvas: Canvas, area: Box, theme: Theme, kind: str, ending: str) -> None:
    """Draw a file of a kind as a sheet of paper with its colour, as large as `area` allows."""
    side = min(area.width, area.height)
    width = round(side * 0.78)
    page = area.centred(width, side)
    colour = KINDS[kind].colour
    mask = _page(width, side)
    canvas.mask(page, mask, mix(_PAPER, colour, 0.35))
    inner = page.inset(max(1, side // 60))
    canvas.mask(inner, _page(inner.width, inner.height), _PAPER)
    ear = width // 3
    canvas.polygon(
        [(page.right - ear, page.y), (page.right, page.y + ear), (page.right - ear, page.y + ear)],
        mix(_PAPER, colour, 0.45),
    )
    canvas.mark(page, mask)
    if side < theme.px(30):
        canvas.fill(page.inset(max(1, width // 6), round(side * 0.3)).cut_bottom(max(2, side // 5))[0], colour)
        return
    if KINDS[kind].sign:
        spot = box(page.x, page.y + round(side * 0.24), width, round(side * 0.36))
        icon(canvas, spot, KINDS[kind].sign, colour, weight=1.5)
    else:
        for number in range(4):
            long = width * (3, 4, 4, 2)[number] // 6
            line = box(page.x + width // 6, page.y + round(side * (0.3 + 0.085 * number)), long, max(1, side // 36))
            canvas.fill(line, mix(_PAPER, (90, 95, 105), 0.4))
    band = page.cut_bottom(round(side * 0.26))[0].inset(round(side * 0.02))
    canvas.rounded(band, colour, side * 0.05)
    typesetting.line(
        canvas, band, ending.upper()[:4], theme.font(side * 0.15 / theme.scale, "bold"), _WHITE, align="centre"
    )


@lru_cache(maxsize=64)
def _page(width: int, height: int) -> Mask:
    """Return a sheet whose upper right corner is folded in."""
    ear = width // 3
    mask = shapes.polygon([(0, 0), (width - ear, 0), (width, ear), (width, height), (0, height)], width, height)
    mask.setflags(write=False)
    return mask


def miniature(canvas: Canvas, area: Box, text: TextBank, paper: Colour = _PAPER) -> None:
    """Draw a page so small that its lines are bars, as previews of documents look."""
    canvas.fill(area, paper)
    canvas.mark(area)
    ink = mix(paper, (40, 44, 52), 0.55)
    pitch = max(3, area.height // 26)
    thick = max(1, pitch // 3)
    inner = area.inset(max(2, area.width // 8), max(2, area.height // 10))
    canvas.fill(box(inner.x, inner.y, inner.width * 2 // 3, thick * 2), mix(paper, (30, 34, 44), 0.8))
    y = inner.y + pitch * 2
    while y + thick < inner.bottom:
        run = text.number(2, 7)
        for number in range(run):
            if y + thick >= inner.bottom:
                return
            long = inner.width if number < run - 1 else inner.width * text.number(30, 90) // 100
            canvas.fill(box(inner.x, y, long, thick), ink)
            y += pitch
        y += pitch
