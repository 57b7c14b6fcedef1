"""Words by split, and texts made from them."""

import re

import numpy as np

from datagen import vocabulary
from datagen.config import SPLITS
from datagen.fonts import FAMILIES, font, font_sources
from datagen.source_code import write_code
from datagen.texts import TextBank, gerund, past, plural, words_of
from datagen.typesetting import ELLIPSIS, break_lines, shorten


def test_no_content_word_is_in_two_splits_and_none_is_lost() -> None:
    for name, whole in (("nouns", vocabulary.NOUNS), ("verbs", vocabulary.VERBS), ("places", vocabulary.PLACES)):
        shares = [set(getattr(words_of(split), name)) for split in SPLITS]
        assert sum(map(len, shares)) == len(set.union(*shares)) == len(set(whole.split()))
        assert all(len(share) >= 5 for share in shares)


def test_splits_have_sources_of_their_own() -> None:
    assert len({words_of(split).source.sha256 for split in SPLITS}) == 3


def test_sentences_use_the_splits_own_words_only() -> None:
    text = TextBank(words_of("val"), np.random.default_rng(1))
    shared = set(re.findall(r"[a-z]+", vocabulary.OPENERS))
    foreign = {*words_of("train").nouns, *words_of("train").adjectives, *words_of("test").nouns} - shared
    spoken = set(re.findall(r"\b[a-z]+\b", text.paragraph(200)))
    assert not spoken & foreign
    assert len(spoken & set(words_of("val").nouns)) > 20


def test_texts_are_well_formed() -> None:
    text = TextBank(words_of("train"), np.random.default_rng(2))
    for _ in range(300):
        for shown in (text.sentence(), text.headline(), text.chat_line()):
            assert shown[0].isupper() and "{" not in shown and "  " not in shown
            assert not re.search(r"\b[Aa] [aeiou]", shown)
    assert (past("carry"), past("display"), past("share")) == ("carried", "displayed", "shared")
    assert (plural("battery"), plural("branch"), plural("valley")) == ("batteries", "branches", "valleys")
    assert (gerund("share"), gerund("watch")) == ("sharing", "watching")


def test_code_has_as_many_lines_as_asked_for_and_balanced_brackets() -> None:
    text = TextBank(words_of("train"), np.random.default_rng(3))
    for language in ("python", "typescript"):
        lines = write_code(text, language, 80)
        joined = "\n".join("".join(token for token, _ in line) for line in lines)
        assert len(lines) >= 80
        assert all(joined.count(left) == joined.count(right) for left, right in ("()", "[]", "{}"))
    compile("\n".join("".join(token for token, _ in line) for line in write_code(text, "python", 80)), "made", "exec")


def test_shortened_text_fits_and_text_that_fits_is_left_alone() -> None:
    face = font("roboto", 16)
    long = "A headline that is far too long for the narrow column it stands in"
    for width in range(0, 300, 7):
        shown = shorten(long, face, width)
        assert shown == "" or (face.width(shown) <= width and shown.endswith(ELLIPSIS))
    assert shorten("Fits", face, 300) == "Fits"


def test_broken_lines_fit_and_keep_all_words() -> None:
    face = font("source-serif", 17)
    words = TextBank(words_of("train"), np.random.default_rng(4)).paragraph(12)
    lines = break_lines(words, face, 240)
    assert " ".join(lines) == words and all(face.width(line) <= 240 for line in lines) and len(lines) > 10


def test_every_font_file_is_there_with_its_licence() -> None:
    sources = font_sources()
    assert len(sources) == 3 * len(FAMILIES)
    assert all(source.licence and source.kind == "font" for source in sources)
