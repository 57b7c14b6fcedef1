"""Texts for the scenes, composed from a vocabulary that no other split uses.

Content words (nouns, verbs, names, places, ...) are dealt to the splits by their own hash, so a model cannot meet a
test word in training. The forms they are put into are shared by all, and so are openings, chat lines without a slot
and month names.
"""

import re
from dataclasses import dataclass

import numpy as np

from datagen import vocabulary
from pipeline.base.seeds import derive_seed
from pipeline.base.store import sha256_hex
from pipeline.formats.sample import Source

_SHARES = {"train": range(6), "val": range(6, 8), "test": range(8, 10)}
"""Tenths of the words that each split owns."""

_FORMS = (
    "The {a} {n} {v} the {n2} {p} the {n3}.",
    "{o}, the {n} {v} a {a} {n2}.",
    "{o}, nobody {v} the {n} of the {n2} {p} {place}.",
    "{name} {v} the {n} and {v2} every {a} {n2}.",
    "A {a} {n} {p} the {n2} {v} {count} {ns}.",
    "When the {n} {v} its {n2}, the {a} {n3} {v2} it {p} {place}.",
    "It was the {a} {n} that {v} the {n2}, not the {n3}.",
    "Each {n} {v} between {count} and {count2} {ns} a year.",
)
_PREPOSITIONS = ("behind", "near", "under", "beside", "within", "beyond", "above", "across from", "along", "before")

_OPENERS = tuple(" ".join(line.split()) for line in vocabulary.OPENERS.split("|"))
_CHAT_LINES = tuple(" ".join(line.split()) for line in vocabulary.CHAT_LINES.split("|"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One split's part of the vocabulary."""

    split: str
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]
    first_names: tuple[str, ...]
    surnames: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def source(self) -> Source:
        """The provenance of every text made from these words."""
        groups = (self.nouns, self.verbs, self.adjectives, self.first_names, self.surnames, self.places)
        text = "\n".join(" ".join(group) for group in groups)
        return Source(
            kind="text",
            name=f"words-{self.split}",
            sha256=sha256_hex(text.encode()),
            licence="Apache-2.0",
            origin="diptych datagen.vocabulary",
        )


def words_of(split: str) -> Words:
    """Return the words of `train`, `val` or `test`; no content word is in two splits."""
    return Words(
        split=split,
        nouns=_share(vocabulary.NOUNS, split),
        verbs=_share(vocabulary.VERBS, split),
        adjectives=_share(vocabulary.ADJECTIVES, split),
        first_names=_share(vocabulary.FIRST_NAMES, split),
        surnames=_share(vocabulary.SURNAMES, split),
        places=_share(vocabulary.PLACES, split),
    )


class TextBank:
    """Forms words, titles, sentences and chat lines from one split's words with one generator."""

    def __init__(self, words: Words, rng: np.random.Generator) -> None:
        self._words = words
        self._rng = rng

    def pick(self, items: tuple[str, ...] | list[str]) -> str:
        """Return one of `items`."""
        return items[int(self._rng.integers(len(items)))]

    def number(self, low: int, high: int) -> int:
        """Return an integer in [low, high)."""
        return int(self._rng.integers(low, high))

    def noun(self) -> str:
        return self.pick(self._words.nouns)

    def verb(self) -> str:
        return self.pick(self._words.verbs)

    def adjective(self) -> str:
        return self.pick(self._words.adjectives)

    def first_name(self) -> str:
        return self.pick(self._words.first_names)

    def full_name(self) -> str:
        return f"{self.first_name()} {self.pick(self._words.surnames)}"

    def place(self) -> str:
        return self.pick(self._words.places)

    def label(self, num_words: int = 2) -> str:
        """Return a short title such as `Silent harbour`."""
        parts = [self.adjective() for _ in range(num_words - 1)] + [self.noun()]
        return " ".join(parts).capitalize()

    def headline(self) -> str:
        """Return a title of five to nine words."""
        form = self.pick(
            [
                f"How the {self.adjective()} {self.noun()} {past(self.verb())} {self.place()}",
                f"{self.place()} and the {self.noun()}: a {self.adjective()} {self.noun()}",
                f"Why every {self.noun()} needs a {self.adjective()} {self.noun()}",
                f"The {self.adjective()} {self.noun()} that {past(self.verb())} a {self.noun()}",
                f"Five {plural(self.noun())} to {self.verb()} before the {self.noun()}",
            ]
        )
        return _tidy(form)

    def sentence(self) -> str:
        """Return one sentence of about ten words."""
        text = self.pick(_FORMS).format(
            a=self.adjective(),
            n=self.noun(),
            n2=self.noun(),
            n3=self.noun(),
            ns=plural(self.noun()),
            v=past(self.verb()),
            v2=past(self.verb()),
            p=self.pick(_PREPOSITIONS),
            o=self.pick(_OPENERS),
            name=self.full_name(),
            place=self.place(),
            count=self.number(2, 40),
            count2=self.number(40, 900),
        )
        return _tidy(text)

    def paragraph(self, num_sentences: int) -> str:
        return " ".join(self.sentence() for _ in range(num_sentences))

    def chat_line(self) -> str:
        """Return one short message."""
        return self.pick(_CHAT_LINES).format(
            noun=self.noun(),
            verb=self.verb(),
            adjective=self.adjective(),
            place=self.place(),
            name=self.first_name(),
            hour=self.clock(),
        )

    def clock(self) -> str:
        """Return a time of day, HH:MM."""
        return f"{self.number(7, 23)}:{self.number(0, 60):02d}"

    def date(self) -> str:
        """Return a date such as `14 March 2024`."""
        return f"{self.number(1, 29)} {self.pick(MONTHS)} {self.number(2016, 2026)}"


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def past(verb: str) -> str:
    """Return the past tense of a regular verb; the vocabulary holds no others that matter to pixels."""
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def plural(noun: str) -> str:
    """Return the plural of a regular noun."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def gerund(verb: str) -> str:
    """Return the -ing form of a regular verb."""
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


def _tidy(text: str) -> str:
    """Return the text with a capital at its start and `an` before vowels."""
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return text[0].upper() + text[1:]


def _share(words: str, split: str) -> tuple[str, ...]:
    # The hash is of the word alone: adding words later moves no other word to another split.
    return tuple(
        word for word in dict.fromkeys(words.split()) if derive_seed(0, "vocabulary", word) % 10 in _SHARES[split]
    )
