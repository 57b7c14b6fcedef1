"""A desk: wallpaper, icons, bars, and overlapping windows that hold any other scene."""

from dataclasses import replace

import numpy as np

from datagen import desktop_parts
from datagen.canvas import Canvas, Region
from datagen.desktop_flyouts import flyout
from datagen.desktop_parts import Desk, make_desk
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.scenes.overlays import notification, pointer
from datagen.small_windows import small_window
from datagen.theme import choose_theme

_PHONE = "mobile_app"
_PHONE_SIZE = (370, 720)
"""Of a phone's screen that is mirrored on the desk, in logical pixels."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.45)
    # Bars and menus follow the display alone; people zoom into pages, not into the desk.
    theme = replace(theme, scale=canvas.display.scale)
    desk = make_desk(canvas, theme, materials, rng)
    desktop_parts.wallpaper(desk)
    room = desktop_parts.bars(desk)
    if rng.random() < 0.75:
        desktop_parts.icons(desk, room)
    with canvas.clipped(box(room.x, room.y, room.width, canvas.area.bottom - room.y) if desk.style == "dock" else room):
        _windows(desk, room)
        if rng.random() < 0.3:
            small_window(canvas, room, theme, materials, rng)
    desktop_parts.dock(desk)
    form = rng.random()
    if form < 0.15:
        flyout(desk, room)
    elif form < 0.35:
        notification(canvas, room, theme, materials)
    if rng.random() < 0.6:
        pointer(canvas, (int(rng.integers(canvas.area.width)), int(rng.integers(canvas.area.height))), theme)


def _windows(desk: Desk, room: Box) -> None:
    """Open windows from the lowest to the uppermost."""
    rng = desk.rng
    form = rng.random()
    radius = desk.px(float(rng.choice([0, 6, 10, 12])))
    if form < 0.1:
        return
    if form < 0.22:
        for half in room.columns(2, 0) if rng.random() < 0.8 else [room]:
            _window(desk, half, 0)
        return
    for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.4, 0.35, 0.18, 0.07]))):
        width = int(room.width * rng.uniform(0.5, 0.92))
        height = int(room.height * rng.uniform(0.55, 0.94))
        # Windows are pushed off a side now and then.
        spare = desk.px(60) if rng.random() < 0.15 else 0
        x = room.x + int(rng.integers(-spare, room.width - width + spare + 1))
        y = room.y + int(rng.integers(0, room.height - height + spare + 1))
        _window(desk, box(x, y, width, height), radius)
    if rng.random() < 0.06 and room.height > desk.px(_PHONE_SIZE[1]):
        width, height = (desk.px(size) for size in _PHONE_SIZE)
        x = room.x + int(rng.integers(0, room.width - width + 1))
        _lay(desk, box(x, room.y + (room.height - height) // 2, width, height), _PHONE, desk.px(28))


def _window(desk: Desk, area: Box, radius: int) -> None:
    # Imported here: the table of scenes holds this scene.
    from datagen.scenes.table import SCENES

    scale = desk.canvas.display.scale
    names = [name for name, scene in SCENES.items() if scene.draw is not draw and name != _PHONE]
    fitting = [name for name in names if SCENES[name].fits(area.width, area.height, scale)]
    if fitting:
        _lay(desk, area, fitting[int(desk.rng.integers(len(fitting)))], radius)


def _lay(desk: Desk, area: Box, name: str, radius: int) -> None:
    """Draw a scene on a canvas of its own and lay it as a window."""
    from datagen.scenes.table import SCENES

    canvas = desk.canvas
    inside = Canvas(area.width, area.height, (255, 255, 255), display=canvas.display)
    scene = SCENES[name]
    (scene.window or scene.draw)(inside, desk.materials, desk.rng)
    canvas.shadow(area, blur=desk.px(15), strength=0.4, offset=desk.px(5))
    _hide(canvas, area)
    canvas.compose(area, inside, radius=radius)
    if radius:
        canvas.outline(area, (70, 72, 78) if desk.theme.dark else (190, 192, 196), radius=radius)
    canvas.mark(area)


def _hide(canvas: Canvas, area: Box) -> None:
    """Cut what a window will cover out of the regions below it."""
    kept = []
    for region in canvas.regions:
        shared = region.area.intersection(area)
        if shared.width == 0 or shared.height == 0:
            kept.append(region)
        elif shared != region.area:
            size = (region.area.height, region.area.width)
            mask = np.ones(size, dtype=np.bool_) if region.mask is None else region.mask.copy()
            top, left = shared.y - region.area.y, shared.x - region.area.x
            mask[top : top + shared.height, left : left + shared.width] = False
            kept.append(Region(area=region.area, mask=mask))
    canvas.regions[:] = kept
