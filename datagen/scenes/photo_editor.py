"""A picture editor: one with layers and tools, one that develops photographs, or one for designs with words."""

import numpy as np

from datagen import controls, photo_panels, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.photo_design import design
from datagen.photo_develop import develop
from datagen.scenes.overlays import draw_some
from datagen.theme import Theme, choose_theme, mix

_MENUS = ("File", "Edit", "Image", "Layer", "Select", "Filter", "View", "Window", "Help")
_TOOLS = (
    *("pointer", "move", "marquee", "lasso", "wand", "crop", "pipette", "brush", "stamp"),
    *("eraser", "bucket", "drop", "pen", "type", "square", "hand", "search"),
)
_TONES = ("Exposure", "Contrast", "Highlights", "Shadows", "Whites", "Blacks")


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    form = str(rng.choice(["layers", "develop", "design"], p=[0.42, 0.36, 0.22]))
    theme = choose_theme(rng, canvas, dark_share={"layers": 0.7, "develop": 0.85, "design": 0.15}[form])
    text = materials.text
    canvas.fill(canvas.area, theme.page)
    name = f"{text.place()}-{text.number(1, 999)}.{text.pick(['psd', 'xcf', 'tif', 'jpg', 'png', 'nef'])}"
    body = widgets.window_bar(canvas, canvas.area, theme, name, rng)
    album = Album(materials, rng, int(rng.integers(2, 6)))
    {"layers": _layered, "develop": develop, "design": design}[form](canvas, body, theme, materials, album, rng)
    draw_some(canvas, body, theme, materials, rng)


def _layered(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album, rng: np.random.Generator
) -> None:
    menus, rest = area.cut_top(theme.px(26))
    canvas.fill(menus, theme.surface)
    line = menus.inset(theme.px(8), 0)
    for name in _MENUS:
        cell, line = line.cut_left(min(line.width, theme.font(12.5).width(name) + theme.px(16)))
        typesetting.line(canvas, cell, name, theme.font(12.5), theme.text, align="centre")
    options, rest = rest.cut_top(theme.px(36))
    chosen = int(rng.integers(len(_TOOLS)))
    _options(canvas, options, theme, materials, _TOOLS[chosen])
    tools, rest = rest.cut_left(theme.px(float(rng.choice([38, 66]))))
    _tool_box(canvas, tools, theme, chosen)
    panels, rest = rest.cut_right(min(theme.px(float(rng.integers(220, 290))), rest.width // 3))
    _panels(canvas, panels, theme, materials, album, rng)
    status, rest = rest.cut_bottom(theme.px(24))
    _status(canvas, status, theme, materials)
    tabs, rest = rest.cut_top(theme.px(28))
    _tabs(canvas, tabs, theme, materials)
    if rng.random() < 0.5:
        rest = photo_panels.rulers(canvas, rest, theme)
    with canvas.clipped(rest):
        _work(canvas, rest, theme, materials, rng)


def _options(canvas: Canvas, area: Box, theme: Theme, materials: Materials, tool: str) -> None:
    canvas.fill(area, theme.surface)
    controls.rule(canvas, area, theme)
    sign, rest = area.inset(theme.px(8), 0).cut_left(theme.px(34))
    controls.sign(canvas, sign, theme, tool, 18)
    size, opacity = f"{materials.text.number(1, 400)} px", f"{materials.text.number(10, 101)} %"
    for name, value in (("Size", size), ("Opacity", opacity), ("Mode", "Normal"), ("Feather", "0 px")):
        if rest.width < theme.px(160):
            return
        label, rest = rest.cut_left(theme.font(12).width(name) + theme.px(12))
        typesetting.line(canvas, label, name, theme.font(12), theme.muted)
        field, rest = rest.cut_left(theme.px(74))
        field = field.centred(field.width, theme.px(22))
        canvas.rounded(field, theme.raised, theme.px(3))
        canvas.outline(field, theme.border, radius=theme.px(3))
        canvas.mark(field)
        typesetting.line(canvas, field.inset(theme.px(7), 0), value, theme.font(12), theme.text)
        rest = rest.cut_left(theme.px(14))[1]
    if rest.width > theme.px(120):
        mark, words = rest.cut_left(theme.px(24))
        controls.check_box(canvas, mark, theme, on=bool(materials.text.number(0, 2)))
        typesetting.line(canvas, words.cut_left(theme.px(4))[1], "Contiguous", theme.font(12), theme.text)


def _tool_box(canvas: Canvas, area: Box, theme: Theme, chosen: int) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    canvas.mark(area)
    across = 2 if area.width > theme.px(50) else 1
    cell_size = area.width // across
    step = theme.px(31)
    for number, name in enumerate(_TOOLS):
        cell = box(
            area.x + number % across * cell_size, area.y + theme.px(6) + number // across * step, cell_size, step
        )
        if cell.bottom > area.bottom - theme.px(64):
            break
        if number == chosen:
            canvas.rounded(cell.inset(theme.px(3), theme.px(2)), theme.soft_accent, theme.px(4))
        ink = theme.accent if number == chosen else theme.muted
        icon(canvas, cell.centred(theme.px(17), theme.px(17)), name, ink)
    low = area.cut_bottom(theme.px(54))[0].centred(theme.px(30), theme.px(30))
    side = theme.px(19)
    for colour, shift in (((255, 255, 255), low.width - side), (theme.series[0], 0)):
        spot = box(low.x + shift, low.y + shift, side, side)
        canvas.fill(spot, theme.border)
        canvas.fill(spot.inset(max(1, theme.px(1))), colour)
        canvas.mark(spot)


def _tabs(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    canvas.fill(area, theme.raised)
    rest = area
    for number in range(materials.text.number(1, 4)):
        name = f"{materials.text.noun()}_{materials.text.number(1, 99)}.psd @ {materials.text.number(8, 200)} %"
        cell, rest = rest.cut_left(min(rest.width, theme.font(12).width(name) + theme.px(38)))
        canvas.fill(cell, theme.surface if number == 0 else theme.raised)
        canvas.fill(cell.cut_right(1)[0], theme.border)
        close, words = cell.inset(theme.px(8), 0).cut_right(theme.px(16))
        icon(canvas, close.centred(theme.px(10), theme.px(10)), "close", theme.muted)
        typesetting.line(canvas, words, name, theme.font(12), theme.text if number == 0 else theme.muted)


def _work(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """The picture that is worked on, with selections, handles, words."""
    ground = mix(theme.page, (0, 0, 0), 0.35) if theme.dark else mix(theme.page, (0, 0, 0), 0.25)
    canvas.fill(area, ground)
    text = materials.text
    room = area.inset(theme.px(float(rng.integers(10, 60))))
    photo = materials.whole_photo()
    if rng.random() < 0.25:
        shown = area
        pixels = materials.crop(photo, shown.width, shown.height)
    else:
        pixels = materials.fit(photo, room.width, room.height)
        shown = room.centred(pixels.shape[1], pixels.shape[0])
    if rng.random() < 0.25:
        pixels = photo_panels.toned(pixels, rng)
    if rng.random() < 0.15:
        photo_panels.checks(canvas, shown, max(4, theme.px(8)))
        canvas.paste(shown, pixels, radius=min(shown.width, shown.height) * float(rng.choice([0.12, 0.3, 0.5])))
    else:
        canvas.paste(shown, pixels)
    part = box(
        shown.x + int(shown.width * rng.uniform(0.05, 0.45)),
        shown.y + int(shown.height * rng.uniform(0.05, 0.45)),
        max(theme.px(30), int(shown.width * rng.uniform(0.2, 0.5))),
        max(theme.px(30), int(shown.height * rng.uniform(0.2, 0.5))),
    )
    form = rng.random()
    if form < 0.25:
        photo_panels.ants(canvas, part, int(rng.integers(8)), max(3, theme.px(4)))
    elif form < 0.45:
        photo_panels.crop_frame(canvas, shown, theme, rng)
    elif form < 0.65:
        words = text.label(int(rng.integers(1, 3)))
        sizes = [theme.font(size, "bold") for size in (72, 54, 40, 28, 20)[int(rng.integers(3)) :]]
        font = next((font for font in sizes if font.width(words) <= part.width), sizes[-1])
        used = typesetting.line(canvas, part, words, font, theme.series[1] if rng.random() < 0.5 else (255, 255, 255))
        photo_panels.handles(canvas, used.inset(-theme.px(6), 0), theme, (26, 140, 255))
    elif form < 0.75:
        photo_panels.handles(canvas, part, theme, (26, 140, 255))


def _panels(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album, rng: np.random.Generator
) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    canvas.mark(area)
    rest = area.cut_left(1)[1]
    for form in rng.permutation(4)[: max(0, min(3, (area.height - theme.px(190)) // theme.px(160)))]:
        height = theme.px(float(rng.integers(130, 200 if area.height > theme.px(800) else 160)))
        block, rest = rest.cut_top(height)
        title = ("Histogram", "Colour", "Adjustments", "Navigator")[form]
        room = photo_panels.titled(canvas, block, theme, title)
        if form == 0:
            photo_panels.histogram(canvas, room, theme, rng)
        elif form == 1:
            photo_panels.colours(canvas, room, theme, rng)
        elif form == 2:
            photo_panels.sliders(canvas, room, theme, _TONES, rng)
        else:
            pixels = album.fit(room.width, room.height)
            place = room.centred(pixels.shape[1], pixels.shape[0])
            canvas.paste(place, pixels)
            view = place.inset(place.width // 5, place.height // 6)
            canvas.outline(view, (235, 60, 50), thickness=max(1, theme.px(1.4)))
    room = photo_panels.titled(canvas, rest, theme, "Layers")
    modes, room = room.cut_top(theme.px(28))
    typesetting.line(canvas, modes, materials.text.pick(["Normal", "Multiply", "Screen"]), theme.font(12), theme.text)
    shown = f"Opacity {materials.text.number(20, 101)} %"
    typesetting.line(canvas, modes, shown, theme.font(12), theme.muted, align="right")
    foot, room = room.cut_bottom(theme.px(24))
    photo_panels.layers(canvas, room, theme, materials.text, album)
    for cell, name in zip(foot.columns(6, 0), ("link", "plus", "folder", "ellipse", "copy", "trash"), strict=True):
        controls.sign(canvas, cell, theme, name, 14)


def _status(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    canvas.fill(area, theme.surface)
    text = materials.text
    size = f"{text.number(900, 8000)} x {text.number(700, 6000)} px"
    words = f"{text.number(5, 300)} %    {size}    RGB {text.pick([8, 16])} bit"
    typesetting.line(canvas, area.inset(theme.px(10), 0), words, theme.font(11.5), theme.muted)
