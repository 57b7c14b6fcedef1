"""A picture viewer: one large photograph, tools around it, a strip or a side panel of thumbnails and facts."""

import numpy as np

from datagen import typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes.overlays import draw_some
from datagen.scenes.photo_library import draw_library
from datagen.sources import Photo
from datagen.theme import Theme, choose_theme, mix

_ONE_SHARE, _ALONE_SHARE = 0.55, 0.15
_TOOLS = ("back", "forward", "rotate", "crop", "sliders", "heart", "share", "trash")


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen: one picture in a window, or alone on the screen, or the library."""
    theme = choose_theme(rng, canvas, dark_share=0.65)
    form = rng.random()
    if form < _ONE_SHARE:
        _one(canvas, theme, materials, rng)
    elif form < _ONE_SHARE + _ALONE_SHARE:
        _alone(canvas, theme, materials, rng)
    else:
        draw_library(canvas, theme, materials, rng)
    draw_some(canvas, canvas.area, theme, materials, rng)


def _one(canvas: Canvas, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    text = materials.text
    name = f"{text.place()}_{text.number(1, 9999):04d}.{text.pick(['jpg', 'png', 'tif'])}"
    canvas.fill(canvas.area, theme.page)
    body = widgets.window_bar(canvas, canvas.area, theme, name, rng)
    if rng.random() < 0.85:
        tools, body = body.cut_top(theme.px(48))
        _tools(canvas, tools, theme, int(rng.integers(-4, len(_TOOLS))))
    status = None
    if rng.random() < 0.75:
        status, body = body.cut_bottom(theme.px(28))
    photo = materials.whole_photo()
    album = Album(materials, rng, int(rng.integers(3, 8)))
    if rng.random() < 0.5:
        panel, body = body.cut_right(min(theme.px(int(rng.integers(230, 300))), body.width // 3))
        _facts(canvas, panel, theme, materials, name)
    if rng.random() < 0.6:
        strip, body = body.cut_bottom(theme.px(int(rng.integers(84, 116))))
        _strip(canvas, strip, theme, materials, photo, album)
    shown = _picture(canvas, body, theme, materials, photo)
    if rng.random() < 0.25:
        for cell, sign in ((body.cut_left(theme.px(64))[0], "back"), (body.cut_right(theme.px(64))[0], "forward")):
            disc = cell.centred(theme.px(40), theme.px(40))
            canvas.veil(disc, (0, 0, 0), 0.5, radius=disc.width / 2)
            canvas.mark(disc)
            icon(canvas, disc.centred(theme.px(20), theme.px(20)), sign, (255, 255, 255), weight=2.2)
    if status is not None:
        _status(canvas, status, theme, materials, shown)


def _alone(canvas: Canvas, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """A picture over the whole screen, with the buttons that appear when the pointer moves."""
    area, text = canvas.area, materials.text
    canvas.fill(area, (0, 0, 0) if rng.random() < 0.7 else (24, 24, 26))
    photo = materials.whole_photo()
    room = area if rng.random() < 0.7 else area.inset(theme.px(60), theme.px(50))
    pixels = materials.fit(photo, room.width, room.height)
    shown = room.centred(pixels.shape[1], pixels.shape[0])
    canvas.paste(shown, pixels)
    white = (255, 255, 255)
    bar = area.cut_top(theme.px(52))[0]
    canvas.veil(bar, (0, 0, 0), 0.55)
    inner = bar.inset(theme.px(16), 0)
    for sign in ("close", "dots", "trash", "share", "heart", "sliders"):
        cell, inner = inner.cut_right(theme.px(42))
        icon(canvas, cell.centred(theme.px(20), theme.px(20)), sign, white)
    typesetting.line(canvas, inner, f"{text.place()}, {text.date()}", theme.font(14), white)
    if rng.random() < 0.5:
        words = text.sentence()
        font = theme.font(14)
        foot = area.cut_bottom(theme.px(70))[0].centred(font.width(words) + theme.px(32), theme.px(36))
        canvas.rounded(foot, (22, 22, 24), theme.px(8))
        canvas.mark(foot)
        typesetting.line(canvas, foot, words, font, white, align="centre")
    _facts_over(canvas, area, theme, materials, rng)


def _facts_over(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """The place in a slide show, and its keys, at the lower edge."""
    count = materials.text.number(4, 900)
    tag = box(area.x + theme.px(16), area.bottom - theme.px(44), theme.px(92), theme.px(28))
    canvas.rounded(tag, (22, 22, 24), theme.px(6))
    canvas.mark(tag)
    shown = f"{int(rng.integers(1, count + 1))} / {count}"
    typesetting.line(canvas, tag, shown, theme.font(13), (240, 240, 240), align="centre")
    keys = area.cut_bottom(theme.px(60))[0].cut_right(theme.px(176))[0].centred(theme.px(150), theme.px(40))
    canvas.rounded(keys, (22, 22, 24), theme.px(20))
    canvas.mark(keys)
    for cell, sign in zip(keys.columns(3, 0), ("previous", "pause", "next"), strict=True):
        icon(canvas, cell.centred(theme.px(19), theme.px(19)), sign, (240, 240, 240), weight=2)


def _tools(canvas: Canvas, area: Box, theme: Theme, chosen: int) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_bottom(1)[0], theme.border)
    inner = area.inset(theme.px(12), 0)
    for number, name in enumerate(_TOOLS):
        cell, inner = inner.cut_left(theme.px(44))
        if number == chosen:
            chip = cell.centred(theme.px(36), theme.px(36))
            canvas.rounded(chip, theme.soft_accent, theme.px(6))
            canvas.mark(chip)
        icon(canvas, cell.centred(theme.px(20), theme.px(20)), name, theme.text)
    action, inner = inner.cut_right(theme.px(96))
    widgets.button(canvas, action.centred(action.width, theme.px(32)), theme, "Edit")


def _picture(canvas: Canvas, area: Box, theme: Theme, materials: Materials, photo: Photo) -> Box:
    canvas.fill(area, mix(theme.page, (0, 0, 0), 0.3) if theme.dark else theme.page)
    text = materials.text
    room = area if text.number(0, 3) == 0 else area.inset(theme.px(text.number(12, 40)))
    if text.number(0, 3) == 0:
        shown = room
        canvas.paste(shown, materials.crop(photo, shown.width, shown.height))
    else:
        fitted = materials.fit(photo, room.width, room.height)
        shown = room.centred(fitted.shape[1], fitted.shape[0])
        canvas.paste(shown, fitted)
    return shown


def _strip(canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Photo, album: Album) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_top(1)[0], theme.border)
    gap = theme.px(10)
    side = area.height - 2 * gap
    chosen = materials.text.number(1, 5)
    with canvas.clipped(area):
        for number in range(area.width // (side + gap) + 1):
            place = box(area.x + gap + number * (side + gap), area.y + gap, side, side)
            if number == chosen:
                edge = theme.px(3)
                canvas.rounded(place.inset(-edge), theme.accent, theme.px(6))
            pixels = materials.crop(opened, side, side) if number == chosen else album.crop(side, side)
            canvas.paste(place, pixels, radius=theme.px(4))


def _facts(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> None:
    text = materials.text
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    canvas.mark(area)
    rest = area.inset(theme.px(18), theme.px(16))
    head, rest = rest.cut_top(theme.px(30))
    typesetting.line(canvas, head, "Details", theme.font(17, "bold"), theme.text)
    facts = (
        ("File", name),
        ("Taken", text.date()),
        ("Place", text.place()),
        ("Camera", f"{text.noun().capitalize()} {text.number(2, 900)}D"),
        ("Exposure", f"1/{text.number(30, 900)} s at f/{text.number(2, 16)}"),
        ("ISO", str(100 * text.number(1, 32))),
        ("Owner", text.full_name()),
    )
    for label, value in facts:
        row, rest = rest.cut_top(theme.px(44))
        if row.height < theme.px(44):
            return
        upper, lower = row.rows(2, 0)
        typesetting.line(canvas, upper, label, theme.font(11.5), theme.muted)
        typesetting.line(canvas, lower, value, theme.font(13.5), theme.text)
    _histogram(canvas, rest.inset(0, theme.px(12)), theme, materials)


def _histogram(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    """A tone curve's plot; drawn from random bumps, never from the photograph, so its label stays synthetic."""
    height = min(area.height, theme.px(90))
    if height < theme.px(40):
        return
    plot, _ = area.cut_top(height)
    canvas.rounded(plot, theme.raised, theme.px(4))
    canvas.mark(plot)
    inner = plot.inset(theme.px(6))
    position = np.linspace(0, 1, 60)
    for colour in ((214, 70, 70), (70, 170, 90), (70, 120, 220)):
        centres = [materials.text.number(10, 90) / 100 for _ in range(2)]
        curve = sum(np.exp(-(((position - centre) / 0.16) ** 2)) for centre in centres)
        top = inner.bottom - curve / np.max(curve) * inner.height * 0.9
        x = inner.x + position * inner.width
        canvas.polyline(list(zip(x.tolist(), top.tolist(), strict=True)), colour, thickness=1.5)


def _status(canvas: Canvas, area: Box, theme: Theme, materials: Materials, shown: Box) -> None:
    canvas.fill(area, theme.raised)
    canvas.mark(area)
    inner = area.inset(theme.px(12), 0)
    font = theme.font(12)
    size = (
        f"{shown.width * 3} x {shown.height * 3} px    {materials.text.number(1, 14)}.{materials.text.number(0, 10)} MB"
    )
    typesetting.line(canvas, inner.cut_left(inner.width // 2)[0], size, font, theme.muted)
    zoom = f"{materials.text.number(18, 140)} %"
    typesetting.line(canvas, inner.cut_right(theme.px(60))[0], zoom, font, theme.muted, align="right")
    track = inner.cut_right(theme.px(190))[0].cut_left(theme.px(120))[0].centred(theme.px(120), theme.px(4))
    canvas.rounded(track, theme.border, theme.px(2))
    knob = box(track.x + materials.text.number(10, 100) * track.width // 120, 0, theme.px(12), theme.px(12))
    knob = box(knob.x, track.y - theme.px(4), knob.width, knob.height)
    canvas.rounded(knob, theme.accent, knob.width / 2)
    canvas.mark(track)
