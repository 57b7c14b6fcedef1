"""All page scenes, by the name that samples carry. A scene is a function that returns the HTML of a page's body."""

from collections.abc import Callable
from dataclasses import dataclass

from datagen.browser.kit import Kit
from datagen.browser.pages import (
    article,
    chat,
    dashboard,
    docs,
    gallery,
    mail,
    product,
    search,
    shop,
    slides,
    social,
    travel,
    video,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageScene:
    """One kind of page."""

    draw: Callable[[Kit], str]
    smallest: tuple[int, int] = (340, 480)
    """Width and height in CSS pixels below which its layout does not fit."""
    portrait: bool = True
    """Whether it also looks right on screens that are higher than wide."""

    def fits(self, width: int, height: int, scale: float) -> bool:
        """Return whether it can be drawn on a screen of width x height device pixels at `scale`."""
        if height > width and not self.portrait:
            return False
        return width >= self.smallest[0] * scale and height >= self.smallest[1] * scale


PAGES: dict[str, PageScene] = {
    "page_article": PageScene(draw=article.draw),
    "page_search": PageScene(draw=search.draw),
    "page_shop": PageScene(draw=shop.draw),
    "page_product": PageScene(draw=product.draw),
    "page_social": PageScene(draw=social.draw),
    "page_mail": PageScene(draw=mail.draw),
    "page_video": PageScene(draw=video.draw),
    "page_dashboard": PageScene(draw=dashboard.draw),
    "page_chat": PageScene(draw=chat.draw),
    "page_docs": PageScene(draw=docs.draw),
    "page_gallery": PageScene(draw=gallery.draw),
    "page_slides": PageScene(draw=slides.draw, smallest=(640, 400), portrait=False),
    "page_travel": PageScene(draw=travel.draw),
}
