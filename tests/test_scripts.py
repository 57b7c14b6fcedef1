"""Texts in other scripts: their words belong to one split, their forms are filled, their characters are shown."""

import re
from dataclasses import fields

import numpy as np
import pytest

from datagen.fonts import BUILT_IN, font
from datagen.scripts import (
    EMOJI,
    SCRIPTS,
    Words,
    bank,
    check_scripts,
    choose_language,
    fit_particles,
    languages_of,
    words_in,
)
from datagen.shaping import is_right_to_left, visual_order
from datagen.typesetting import _units, break_lines
from pipeline.base.errors import ConfigError
from pipeline.base.seeds import generator

SPLITS = ("train", "val", "test")
LANGUAGES = tuple(name for names in SCRIPTS.values() for name in names)
CONTENT = tuple(field.name for field in fields(Words) if field.name not in ("split", "language"))


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_two_splits_share_a_word_and_each_has_enough(name: str) -> None:
    for group in CONTENT:
        shares = [set(getattr(words_in(name, split), group)) for split in SPLITS]
        assert min(map(len, shares)) >= 2, group
        assert not shares[0] & shares[1] and not shares[0] & shares[2] and not shares[1] & shares[2]
    assert len({words_in(name, split).source.name for split in SPLITS}) == 3


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_kind_of_text_is_filled(name: str) -> None:
    made = bank(words_in(name, "val"), np.random.default_rng(1))
    for _ in range(60):
        texts = [made.label(1), made.label(2), made.headline(), made.sentence(), made.chat_line(), made.date()]
        texts += [made.full_name(), made.paragraph(3), made.noun(), made.clock()]
        assert all(text and not re.search(r"[{}|/]|  ", text) for text in texts), texts


@pytest.mark.parametrize(
    ("name", "script"), [("ru", "Ѐ-ӿ"), ("el", "Ͱ-Ͽἀ-῿"), ("ar", "؀-ۿ"), ("ko", "가-힣"), ("zh", "一-鿿")]
)
def test_sentences_are_in_their_script(name: str, script: str) -> None:
    made = bank(words_in(name, "train"), np.random.default_rng(2))
    letters = [char for char in made.paragraph(20) if char.isalpha()]
    assert len(re.findall(f"[{script}]", "".join(letters))) == len(letters) > 200


def test_languages_are_chosen_by_the_weights_of_their_scripts() -> None:
    weights = {"latin": 1.0, "cjk": 3.0, "greek": 0.0}
    chosen = [choose_language(weights, generator(seed, "language")) for seed in range(200)]
    assert set(chosen) == {"en", "zh", "ja", "ko"} == set(languages_of(weights))
    assert 100 < len([name for name in chosen if name != "en"]) < 190
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert choose_language({"latin": 2.0}, rng) == "en" and rng.bit_generator.state == before


def test_short_messages_hold_emoji_now_and_then() -> None:
    made = bank(words_in("en-emoji", "train"), np.random.default_rng(3))
    lines = [made.chat_line() for _ in range(200)]
    assert 50 < sum(any(char in EMOJI for char in line) for line in lines) < 150


def test_a_script_that_no_font_has_is_refused_at_once() -> None:
    check_scripts({"latin": 1.0, "cyrillic": 1.0, "greek": 1.0, "arabic": 1.0, "cjk": 0.0}, BUILT_IN)
    for name in ("cjk", "emoji"):
        with pytest.raises(ConfigError, match=f"no font has {name} characters"):
            check_scripts({name: 1.0}, BUILT_IN)
    with pytest.raises(ConfigError, match="unknown 'klingon'"):
        check_scripts({"klingon": 1.0}, BUILT_IN)


def test_korean_particles_fit_the_syllable_before_them() -> None:
    assert (
        fit_particles("책을/를 나무을/를 책은/는 나무은/는 책이/가 나무이/가") == "책을 나무를 책은 나무는 책이 나무가"
    )


def test_arabic_stands_from_right_to_left_in_joined_forms() -> None:
    shown = visual_order("كتاب 12")
    assert is_right_to_left("«كتاب") and not is_right_to_left("Book كتاب")
    assert shown.startswith("12") and shown[-1] == "ﻛ"
    assert visual_order("plain text") == "plain text"
    face = font("dejavu-sans", 20)
    assert face.width("كتاب") < sum(face.width(char) for char in "كتاب")


def test_lines_break_between_ideographs_but_not_before_a_stop() -> None:
    face = font("dejavu-sans", 20)
    text = "これは「新しい」写真です。そして Pillow 12、とても。"
    units = [unit for unit, _ in _units(text)]
    assert "".join(units) == text.replace(" ", "")
    assert {"「新", "い」", "す。", "Pillow", "12、"} <= set(units)
    lines = break_lines("Привет " + "мир " * 30, face, 200)
    assert len(lines) > 3 and all(face.width(line) <= 200 for line in lines)
