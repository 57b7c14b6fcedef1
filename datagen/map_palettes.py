"""Colours of city maps."""

from dataclasses import dataclass

from datagen.canvas import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one provider's maps."""

    land: Colour
    houses: Colour
    water: Colour
    park: Colour
    street: Colour
    casing: Colour
    main: Colour
    main_casing: Colour
    motorway: Colour
    motorway_casing: Colour
    text: Colour
    halo: Colour
    water_text: Colour


PALETTES = {
    "road": Palette(
        land=(245, 243, 240), houses=(232, 229, 224), water=(156, 204, 232), park=(198, 231, 190),
        street=(255, 255, 255), casing=(222, 220, 216), main=(255, 247, 214), main_casing=(226, 206, 150),
        motorway=(252, 214, 112), motorway_casing=(220, 164, 60), text=(92, 92, 96), halo=(255, 255, 255),
        water_text=(70, 126, 170),
    ),
    "cool": Palette(
        land=(236, 239, 241), houses=(226, 230, 233), water=(144, 200, 226), park=(190, 226, 200),
        street=(255, 255, 255), casing=(214, 219, 224), main=(255, 255, 255), main_casing=(192, 200, 208),
        motorway=(160, 176, 196), motorway_casing=(128, 146, 170), text=(80, 88, 100), halo=(250, 251, 252),
        water_text=(56, 110, 150),
    ),
    "open": Palette(
        land=(242, 239, 233), houses=(217, 208, 201), water=(170, 211, 223), park=(200, 250, 204),
        street=(255, 255, 255), casing=(187, 187, 187), main=(247, 250, 191), main_casing=(191, 193, 110),
        motorway=(232, 146, 162), motorway_casing=(194, 78, 100), text=(60, 58, 56), halo=(255, 255, 255),
        water_text=(90, 120, 170),
    ),
    "grey": Palette(
        land=(242, 243, 244), houses=(234, 235, 236), water=(208, 215, 220), park=(232, 238, 232),
        street=(255, 255, 255), casing=(226, 227, 229), main=(255, 255, 255), main_casing=(214, 216, 219),
        motorway=(232, 233, 236), motorway_casing=(200, 203, 208), text=(140, 143, 148), halo=(248, 249, 250),
        water_text=(140, 152, 164),
    ),
    "dark": Palette(
        land=(32, 36, 44), houses=(38, 43, 52), water=(18, 30, 48), park=(30, 50, 46), street=(52, 58, 70),
        casing=(26, 30, 38), main=(70, 77, 92), main_casing=(28, 32, 40), motorway=(104, 96, 74),
        motorway_casing=(40, 36, 30), text=(170, 176, 188), halo=(26, 30, 38), water_text=(96, 130, 176),
    ),
}  # fmt: skip
