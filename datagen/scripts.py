"""Texts in other scripts than Latin, and texts with emoji: which languages there are, and a TextBank for each.

A language is a TOML file in `languages/`: its words, dealt to the splits as the English ones are, and the forms that
they are put into, chosen so that no word has to be inflected.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from datagen.documents import TextDocument
from datagen.fonts import Typefaces
from datagen.texts import TextBank, Words, deal, words_of
from pipeline.base.errors import ConfigError

SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "latin": ("en",),
    "cyrillic": ("ru",),
    "greek": ("el",),
    "cjk": ("zh", "ja", "ko"),
    "arabic": ("ar",),
    "emoji": ("en-emoji",),
}
"""The languages of each script; all of a script's are alike likely."""

EMOJI = tuple(
    "\U0001f600\U0001f602\U0001f60a\U0001f60d\U0001f60e\U0001f914\U0001f622\U0001f44d\U0001f44f\U0001f64f\U0001f389\U0001f525\U0001f31e\U0001f308\U0001f4f7\U0001f680\U0001f382\U0001f436\U0001f431\U0001f333\U0001f355\u2615\u26bd\u2728\u2705\u2764"
)
_EMOJI_SHARE = 0.45
"""Share of chat lines that end with one to three emoji."""
_FOLDER = Path(__file__).parent / "languages"
_PARTICLES = re.compile("(.)(\uc774/\uac00|\uc744/\ub97c|\uc740/\ub294)")
"""Korean: what fits a closed syllable, then what fits an open one."""
_FIRST_SYLLABLE, _NUM_FINALS = 0xAC00, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's words, not yet dealt, and its forms; fields as in its file."""

    script: str
    nouns: str
    verbs: str
    adjectives: str
    first_names: str
    surnames: str
    places: str
    openers: str
    """Separated by `|`."""
    chat_lines: str
    sentences: tuple[str, ...]
    headlines: tuple[str, ...]
    titles: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    name: str
    joiner: str = " "
    """What stands between words."""


class LanguageBank(TextBank):
    """Forms texts of one split's words in a language other than English."""

    def __init__(self, words: Words, rng: np.random.Generator) -> None:
        super().__init__(words, rng)
        self._language = language(words.language)

    def full_name(self) -> str:
        return self._language.name.format(first=self.first_name(), last=self.pick(self._words.surnames))

    def label(self, num_words: int = 2) -> str:
        """Return a short title."""
        return self.noun().capitalize() if num_words == 1 else self._fill(self._language.titles)

    def headline(self) -> str:
        """Return a title of a few words."""
        return self._fill(self._language.headlines)

    def sentence(self) -> str:
        """Return one sentence."""
        return self._fill(self._language.sentences)

    def paragraph(self, num_sentences: int) -> str:
        """Return that many sentences."""
        return self._language.joiner.join(self.sentence() for _ in range(num_sentences))

    def chat_line(self) -> str:
        """Return one short message."""
        return fit_particles(super().chat_line())

    def date(self) -> str:
        """Return a date."""
        months = self._language.months
        return self._language.date.format(day=self.number(1, 29), month=self.pick(months), year=self.number(2016, 2026))

    def _fill(self, forms: tuple[str, ...]) -> str:
        adjective = self.adjective()
        text = self.pick(forms).format(
            a=adjective,
            A=adjective.capitalize(),
            n=self.noun(),
            n2=self.noun(),
            n3=self.noun(),
            v=self.verb(),
            v2=self.verb(),
            o=self.pick(self._words.openers),
            O=self.pick(self._words.openers),
            name=self.first_name(),
            place=self.place(),
            count=self.number(2, 40),
            count2=self.number(40, 900),
        )
        text = fit_particles(text)
        return text[0].upper() + text[1:]


class EmojiBank(TextBank):
    """English texts whose short messages hold emoji."""

    def chat_line(self) -> str:
        """Return one short message, perhaps with emoji at its end."""
        said = super().chat_line()
        if self._rng.random() >= _EMOJI_SHARE:
            return said
        return f"{said} {self.pick(EMOJI) * self.pick((1, 1, 1, 2, 3))}"

    def label(self, num_words: int = 2) -> str:
        """Return a short title, now and then with an emoji."""
        title = super().label(num_words)
        return f"{self.pick(EMOJI)} {title}" if self._rng.random() < 0.1 else title


def choose_language(scripts: Mapping[str, float], rng: np.random.Generator) -> str:
    """Return the language of a sample's texts by the weights of the scripts; draws nothing if there is no choice."""
    names = [name for name, weight in scripts.items() if weight > 0]
    weights = np.asarray([scripts[name] for name in names])
    script = names[int(rng.choice(len(names), p=weights / weights.sum()))] if len(names) > 1 else names[0]
    known = SCRIPTS[script]
    return known[int(rng.integers(len(known)))] if len(known) > 1 else known[0]


def languages_of(scripts: Mapping[str, float]) -> tuple[str, ...]:
    """Return the languages that samples may have."""
    return tuple(name for script, weight in scripts.items() if weight > 0 for name in SCRIPTS[script])


def words_in(name: str, split: str) -> Words:
    """Return the words of a language for `train`, `val` or `test`; no content word is in two splits."""
    if name in SCRIPTS["latin"]:
        return words_of(split)
    if name in SCRIPTS["emoji"]:
        return words_of(split, language=name)
    own = language(name)
    return Words(
        split=split,
        language=name,
        nouns=deal(own.nouns.split(), split),
        verbs=deal(own.verbs.split(), split),
        adjectives=deal(own.adjectives.split(), split),
        first_names=deal(own.first_names.split(), split),
        surnames=deal(own.surnames.split(), split),
        places=deal(own.places.split(), split),
        openers=deal(_lines(own.openers, own.joiner), split),
        chat_lines=deal(_lines(own.chat_lines, own.joiner), split),
    )


def bank(words: Words, rng: np.random.Generator, open_document: Callable[[], TextDocument] | None = None) -> TextBank:
    """Return the bank that forms texts of `words`; documents of the user's own take the place of English sentences."""
    if words.language in SCRIPTS["latin"]:
        return TextBank(words, rng, open_document=open_document)
    if words.language in SCRIPTS["emoji"]:
        return EmojiBank(words, rng, open_document=open_document)
    return LanguageBank(words, rng)


def check_scripts(scripts: Mapping[str, float], typefaces: Typefaces) -> None:
    """Raises: ConfigError: a script that is not known, or one that no font can show."""
    unknown = sorted(set(scripts) - set(SCRIPTS))
    if unknown:
        raise ConfigError(f"scripts: unknown '{unknown[0]}'; known: {', '.join(SCRIPTS)}")
    for script, weight in scripts.items():
        missing = "" if weight <= 0 else _missing(script, typefaces)
        if missing:
            raise ConfigError(
                f"scripts: no font has {script} characters such as {missing!r}; give fonts = 'system' or a folder that "
                "holds one (Noto fonts cover all scripts)"
            )


@lru_cache(maxsize=len(SCRIPTS))
def language(name: str) -> Language:
    """Return a language of `languages/`."""
    table: dict[str, Any] = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Language(**(table | lists))


def fit_particles(text: str) -> str:
    """Return Korean text with the particle of each pair that fits the syllable before it; other text as it is."""
    return _PARTICLES.sub(_fitting, text)


def _fitting(found: re.Match[str]) -> str:
    before, pair = found.groups()
    closed = (ord(before) - _FIRST_SYLLABLE) % _NUM_FINALS > 0
    return before + pair.split("/")[0 if closed else 1]


def _lines(lines: str, joiner: str) -> list[str]:
    return [joiner.join(part.strip() for part in line.splitlines()).strip() for line in lines.split("|")]


def _missing(script: str, typefaces: Typefaces) -> str:
    """Return a character of the script that no typeface has, "" if there is none."""
    from datagen.shaping import visual_order

    if script == "emoji":
        wanted = set(EMOJI)
    else:
        texts = [
            " ".join(str(getattr(language(name), field.name)) for field in fields(Language))
            for name in SCRIPTS[script]
            if script != "latin"
        ]
        wanted = set(visual_order("".join(texts)))
    return next((char for char in sorted(wanted) if char.isprintable() and not typefaces.covers(char)), "")
