"""A page of our own to look at: articles with photographs that take turns, for capturing on a virtual display."""

import html
import shutil
from pathlib import Path

from datagen.sources import find_photos
from datagen.texts import TextBank, words_of
from pipeline.base.seeds import generator

_NUM_ARTICLES = 6
_TURN_MS = 1200

_STYLE = """
body { margin: 0; font: 17px/1.5 sans-serif; background: #fbfbf9; color: #1d1f24; overflow: hidden }
header { background: #14532d; color: #fff; padding: 14px 40px; font-size: 22px; font-weight: 600 }
nav { border-bottom: 1px solid #ddd; padding: 8px 40px; color: #555 } nav span { margin-right: 28px }
article { display: none; padding: 22px 40px; grid-template-columns: 560px 1fr; gap: 36px }
article.shown { display: grid } h1 { margin: 0 0 12px; font-size: 32px; line-height: 1.15 }
img { width: 560px; height: 400px; object-fit: cover; border-radius: 8px } figcaption { color: #666; font-size: 14px }
figure { margin: 0 } p { margin: 0 0 14px }
"""
_SCRIPT = """
const articles = [...document.querySelectorAll("article")]; let at = 0;
setInterval(() => { articles[at].classList.remove("shown"); at = (at + 1) % articles.length;
articles[at].classList.add("shown"); }, TURN_MS);
"""


def write_page(folder: Path) -> Path:
    """Write an HTML page and its photographs (scikit-image's) into `folder`; return the page's path."""
    text = TextBank(words_of("train"), generator(0, "demo page"))
    articles = []
    for number, planned in enumerate(find_photos(None).sources[:_NUM_ARTICLES]):
        shutil.copy(planned.path, folder / planned.source.name)
        paragraphs = "".join(f"<p>{html.escape(text.paragraph(4))}</p>" for _ in range(4))
        articles.append(
            f'<article class="{"shown" if number == 0 else ""}"><figure><img src="{html.escape(planned.source.name)}">'
            f"<figcaption>{html.escape(text.sentence())}</figcaption></figure>"
            f"<div><h1>{html.escape(text.headline())}</h1>{paragraphs}</div></article>"
        )
    sections = "".join(f"<span>{html.escape(text.noun().capitalize())}</span>" for _ in range(8))
    page = (
        f'<!doctype html><meta charset="utf-8"><title>Reader</title><style>{_STYLE}</style>'
        f"<header>The {html.escape(text.place())} Reader</header><nav>{sections}</nav>{''.join(articles)}"
        f"<script>{_SCRIPT.replace('TURN_MS', str(_TURN_MS))}</script>"
    )
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return path


def write_text(folder: Path) -> Path:
    """Write plain text that fills a terminal into `folder`; return its path."""
    text = TextBank(words_of("train"), generator(0, "demo text"))
    path = folder / "page.txt"
    path.write_text("\n".join(text.sentence() for _ in range(56)) + "\n", encoding="utf-8")
    return path
