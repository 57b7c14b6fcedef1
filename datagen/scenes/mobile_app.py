"""The screen of a phone or tablet: feeds, messages, settings, a shop, maps, players, the camera, the lock screen."""

import numpy as np

from datagen import phone_feeds, phone_lists, phone_pictures, phone_places, phone_players, phone_screens
from datagen.canvas import Canvas
from datagen.materials import Materials
from datagen.phone import make_phone

_APPS = {
    phone_feeds.pictures_feed: 0.13,
    phone_feeds.words_feed: 0.1,
    phone_feeds.full_video: 0.07,
    phone_pictures.camera_roll: 0.08,
    phone_pictures.camera: 0.04,
    phone_pictures.shop: 0.1,
    phone_lists.conversations: 0.09,
    phone_lists.conversation: 0.1,
    phone_lists.settings: 0.07,
    phone_players.player: 0.05,
    phone_players.video: 0.05,
    phone_screens.lock_screen: 0.03,
    phone_screens.home_screen: 0.04,
    phone_places.city_map: 0.03,
    phone_places.weather: 0.02,
}
"""Share of screens by app."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    phone = make_phone(canvas, materials, rng)
    shares = np.cumsum(list(_APPS.values()))
    app = list(_APPS)[int(np.searchsorted(shares, float(rng.random()) * shares[-1], side="right"))]
    app(phone)
