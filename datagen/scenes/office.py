"""What office programs share: title, menus or a ribbon, a toolbar, a status bar with a zoom slider."""

from collections.abc import Sequence
from typing import Literal

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.theme import Theme, mix

Style = Literal["ribbon", "online", "classic"]
STYLES: tuple[Style, ...] = ("ribbon", "online", "classic")

_MENUS = ("File", "Edit", "View", "Insert", "Format", "Tools", "Window", "Help")
_TABS = ("File", "Home", "Insert", "Draw", "Design", "Review", "View", "Help")
_TOOLS = ("undo", "redo", "printer", "|", "100%", "|", "Sans", "11", "|", "B", "I", "U", "A", "|", "align")
_MORE_TOOLS = ("list", "|", "link", "image", "chart", "filter", "table", "|", "search", "star", "dots")
_GROUPS = (
    ("Clipboard", ("file", "clip", "undo")),
    ("Font", ("B", "I", "U", "A", "down", "plus")),
    ("Paragraph", ("align", "list", "ruler", "brush")),
    ("Insert", ("image", "chart", "table", "link")),
    ("Styles", ("star", "grid", "sliders")),
    ("Editing", ("search", "filter", "check")),
    ("Share", ("share", "user", "chat")),
)


def header(canvas: Canvas, area: Box, theme: Theme, materials: Materials, style: Style, name: str) -> Box:
    """Draw what is above the document, `name` being its file; return the rest of `area`."""
    if style == "ribbon":
        return _ribbon(canvas, area, theme, materials, name)
    if style == "online":
        return _online(canvas, area, theme, materials, name)
    bar, rest = area.cut_top(theme.px(32))
    canvas.fill(bar, theme.raised)
    left = widgets.window_buttons(canvas, bar, theme)
    typesetting.line(canvas, left.inset(theme.px(90), 0), name, theme.font(13, "bold"), theme.text, align="centre")
    row, rest = rest.cut_top(theme.px(26))
    canvas.fill(row, theme.raised)
    words(canvas, row.inset(theme.px(8), 0), theme, _MENUS, chosen=-1)
    for tools in (_TOOLS, _MORE_TOOLS):
        row, rest = rest.cut_top(theme.px(32))
        canvas.fill(row, theme.raised)
        toolbar(canvas, row.inset(theme.px(6), 0), theme, tools)
    canvas.fill(row.cut_bottom(1)[0], theme.border)
    return rest


def _ribbon(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> Box:
    brand: Colour = mix(theme.accent, (0, 0, 0), 0.3)
    bar, rest = area.cut_top(theme.px(38))
    canvas.fill(bar, brand)
    ink: Colour = (250, 250, 250)
    for number, sign in enumerate(("undo", "redo", "reload")):
        cell = box(bar.x + theme.px(12 + 30 * number), bar.y, theme.px(24), bar.height)
        icon(canvas, cell.centred(theme.px(16), theme.px(16)), sign, ink)
    typesetting.line(canvas, bar.inset(theme.px(190), 0), name, theme.font(13), ink, align="centre")
    for number, sign in enumerate(("close", "square", "minus")):
        cell = box(bar.right - theme.px(42 * (number + 1)), bar.y, theme.px(42), bar.height)
        icon(canvas, cell.centred(theme.px(14), theme.px(14)), sign, ink)
    face = box(bar.right - theme.px(172), bar.y, theme.px(30), bar.height)
    widgets.avatar(canvas, face.centred(theme.px(26), theme.px(26)), theme, materials, materials.text.full_name())
    row, rest = rest.cut_top(theme.px(32))
    canvas.fill(row, theme.raised)
    words(canvas, row.inset(theme.px(10), 0), theme, _TABS, chosen=1)
    ribbon, rest = rest.cut_top(theme.px(88))
    canvas.fill(ribbon, theme.surface)
    canvas.fill(ribbon.cut_bottom(1)[0], theme.border)
    left = ribbon.inset(theme.px(6), theme.px(4))
    for title, signs in _GROUPS:
        num_columns = -(-len(signs) // 2)
        width = theme.px(max(30 * num_columns + 14, 74))
        if left.width < width:
            break
        group, left = left.cut_left(width)
        canvas.fill(group.cut_right(1)[0].inset(0, theme.px(5)), theme.border)
        label, tools = group.cut_bottom(theme.px(18))
        typesetting.line(canvas, label, title, theme.font(11), theme.muted, align="centre")
        cells = tools.centred(theme.px(30 * num_columns), tools.height)
        for number, sign in enumerate(signs):
            place = box(cells.x + number // 2 * theme.px(30), cells.y, theme.px(30), cells.height)
            _tool(canvas, place.rows(2, 0)[number % 2], theme, sign)
    return rest


def _online(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> Box:
    text = materials.text
    page = widgets.browser_bar(
        canvas, area, theme, [name, *(text.label(2) for _ in range(text.number(0, 3)))], _ADDRESS
    )
    head, rest = page.cut_top(theme.px(58))
    canvas.fill(head, theme.surface)
    logo, head = head.cut_left(theme.px(56))
    badge = logo.centred(theme.px(28), theme.px(34))
    canvas.rounded(badge, theme.accent, theme.px(5))
    canvas.mark(badge, rounded(badge.width, badge.height, theme.px(5)))
    icon(canvas, badge.centred(theme.px(18), theme.px(18)), "table", theme.on_accent)
    right, head = head.cut_right(theme.px(190))
    upper, lower = head.inset(0, theme.px(5)).rows(2, 0)
    used = typesetting.line(canvas, upper, name.rpartition(".")[0] or name, theme.font(17), theme.text)
    star = box(used.right + theme.px(8), upper.y, theme.px(18), upper.height)
    icon(canvas, star.centred(theme.px(16), theme.px(16)), "star", theme.muted)
    words(canvas, lower.moved(-theme.px(8), 0), theme, _MENUS, chosen=-1)
    share, face = right.inset(theme.px(12), theme.px(11)).cut_left(theme.px(104))
    widgets.button(canvas, share, theme, "Share")
    widgets.avatar(canvas, face.cut_right(theme.px(36))[0], theme, materials, text.full_name())
    row, rest = rest.cut_top(theme.px(44))
    canvas.fill(row, theme.surface)
    pill = row.inset(theme.px(12), theme.px(3))
    canvas.rounded(pill, theme.raised, pill.height / 2)
    canvas.mark(pill, rounded(pill.width, pill.height, pill.height / 2))
    toolbar(canvas, pill.inset(theme.px(14), 0), theme, (*_TOOLS, *_MORE_TOOLS))
    return rest


_ADDRESS = "docs.example/d/1aZk3/edit"


def words(canvas: Canvas, area: Box, theme: Theme, names: Sequence[str], *, chosen: int) -> None:
    """Draw words side by side, as many as fit; the one at `chosen` is underlined."""
    font = theme.font(13)
    for number, name in enumerate(names):
        width = font.width(name) + theme.px(18)
        if area.width < width:
            return
        cell, area = area.cut_left(width)
        used = typesetting.line(
            canvas, cell, name, font, theme.accent if number == chosen else theme.text, align="centre"
        )
        if number == chosen:
            canvas.fill(box(used.x, cell.bottom - theme.px(3), used.width, theme.px(2)), theme.accent)


def toolbar(canvas: Canvas, area: Box, theme: Theme, tools: Sequence[str]) -> None:
    """Draw tools side by side, as many as fit: icons, letters, fields, `|` for a rule."""
    for tool in tools:
        width = theme.px(9) if tool == "|" else theme.px(28)
        if tool in ("Sans", "100%", "11"):
            width = theme.px(48) + theme.font(13).width(tool)
        if area.width < width:
            return
        cell, area = area.cut_left(width)
        if tool == "|":
            canvas.fill(box(cell.x + cell.width // 2, cell.y + cell.height // 4, 1, cell.height // 2), theme.border)
        elif tool in ("Sans", "100%", "11"):
            sign, name = cell.inset(theme.px(6), 0).cut_right(theme.px(18))
            typesetting.line(canvas, name, tool, theme.font(13), theme.text)
            icon(canvas, sign.centred(theme.px(13), theme.px(13)), "down", theme.muted)
        else:
            _tool(canvas, cell, theme, tool)


def _tool(canvas: Canvas, cell: Box, theme: Theme, tool: str) -> None:
    if len(tool) > 1:
        icon(canvas, cell.centred(theme.px(17), theme.px(17)), tool, theme.text)
        return
    style = {"B": "bold", "I": "italic"}.get(tool, "regular")
    used = typesetting.line(canvas, cell, tool, theme.font(15, style), theme.text, align="centre")
    if tool in "UA":
        colour = theme.text if tool == "U" else theme.accent
        canvas.fill(box(used.x, used.bottom - theme.px(3), used.width, max(1, theme.px(1.6))), colour)


def status_bar(canvas: Canvas, area: Box, theme: Theme, left: str, right: str) -> None:
    """Draw the lowest line: facts about the document, and the zoom."""
    canvas.fill(area, theme.raised)
    canvas.fill(area.cut_top(1)[0], theme.border)
    font = theme.font(12)
    inner = area.inset(theme.px(12), 0)
    zoom, rest = inner.cut_right(theme.px(190))
    typesetting.line(canvas, rest.cut_left(rest.width // 2)[0], left, font, theme.muted)
    typesetting.line(canvas, rest.cut_right(rest.width // 2)[0], right, font, theme.muted, align="right")
    percent, slider = zoom.cut_right(theme.px(42))
    typesetting.line(canvas, percent, "100%", font, theme.muted, align="right")
    track = slider.inset(theme.px(18), 0).centred(slider.width - theme.px(36), max(1, theme.px(2)))
    canvas.fill(track, theme.border)
    knob = track.centred(theme.px(10), theme.px(10))
    canvas.rounded(knob, theme.muted, knob.width / 2)
    canvas.mark(knob.inset(-theme.px(2)))
