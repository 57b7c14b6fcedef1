"""Texts for the scenes: sentences of the split's own documents if there are any, else composed from its vocabulary.

Content words (nouns, verbs, names, places, ...), openings of sentences and chat lines are dealt to the splits by their
own hash, so a model cannot meet a test word in training. The forms that words are put into and the names of months are
shared by all.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from datagen import vocabulary
from datagen.documents import TextDocument
from pipeline.base.seeds import derive_seed
from pipeline.base.store import sha256_hex
from pipeline.formats.sample import Source

T = TypeVar("T")

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

_OWN_CHAT_SHARE = 0.5
"""Share of chat lines that are composed although there are documents: few texts sound like a chat."""
_LONGEST_CHAT_LINE = 90


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
    openers: tuple[str, ...]
    """Beginnings of sentences."""
    chat_lines: tuple[str, ...]
    """Forms of short messages, with or without slots for words."""
    language: str = "en"

    @property
    def source(self) -> Source:
        """The provenance of every text made from these words."""
        words = (self.nouns, self.verbs, self.adjectives, self.first_names, self.surnames, self.places)
        text = "\n".join(" ".join(group) for group in (*words, self.openers, self.chat_lines))
        return Source(
            kind="text",
            name=f"words-{self.split}" if self.language == "en" else f"words-{self.language}-{self.split}",
            sha256=sha256_hex(text.encode()),
            licence="Apache-2.0",
            origin="diptych datagen.vocabulary",
        )


def words_of(split: str, *, language: str = "en") -> Words:
    """Return the English words of `train`, `val` or `test`; no content word is in two splits."""
    return Words(
        split=split,
        language=language,
        nouns=_share(vocabulary.NOUNS, split),
        verbs=_share(vocabulary.VERBS, split),
        adjectives=_share(vocabulary.ADJECTIVES, split),
        first_names=_share(vocabulary.FIRST_NAMES, split),
        surnames=_share(vocabulary.SURNAMES, split),
        places=_share(vocabulary.PLACES, split),
        openers=_share_lines(vocabulary.OPENERS, split),
        chat_lines=_share_lines(vocabulary.CHAT_LINES, split),
    )


class TextBank:
    """Forms words, titles, sentences and chat lines from one split's words and documents with one generator."""

    def __init__(
        self, words: Words, rng: np.random.Generator, *, open_document: Callable[[], TextDocument] | None = None
    ) -> None:
        """`open_document` gives some text; it is called once, when the first sentence is asked for."""
        self._words = words
        self._rng = rng
        self._open_document = open_document
        self._opened: TextDocument | None = None

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        # A float is drawn in a fraction of the time of an integer, and a screen asks for some three hundred.
        return items[int(self._rng.random() * len(items))]

    def number(self, low: int, high: int) -> int:
        """Return an integer in [low, high)."""
        return low + int(self._rng.random() * (high - low))

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
        """Return a heading of the document, or a title of five to nine words."""
        document = self._document()
        if document is not None:
            return self.pick(document.headlines)
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
        """Return a sentence of the document, or one of about ten words."""
        document = self._document()
        if document is not None:
            return self.pick(self.pick(document.paragraphs))
        text = self.pick(_FORMS).format(
            a=self.adjective(),
            n=self.noun(),
            n2=self.noun(),
            n3=self.noun(),
            ns=plural(self.noun()),
            v=past(self.verb()),
            v2=past(self.verb()),
            p=self.pick(_PREPOSITIONS),
            o=self.pick(self._words.openers),
            name=self.full_name(),
            place=self.place(),
            count=self.number(2, 40),
            count2=self.number(40, 900),
        )
        return _tidy(text)

    def paragraph(self, num_sentences: int) -> str:
        """Return that many sentences; those of a document follow each other there, across paragraphs if need be."""
        document = self._document()
        if document is None:
            return " ".join(self.sentence() for _ in range(num_sentences))
        start = self.number(0, len(document.paragraphs))
        following = (*document.paragraphs[start:], *document.paragraphs[:start])
        sentences: list[str] = []
        for paragraph in following:
            sentences += paragraph[: num_sentences - len(sentences)]
            if len(sentences) == num_sentences:
                break
        return " ".join(sentences)

    def chat_line(self) -> str:
        """Return one short message."""
        document = self._document()
        if document is not None and self._rng.random() >= _OWN_CHAT_SHARE:
            said = self.sentence()
            if len(said) <= _LONGEST_CHAT_LINE:
                return said
        said = self.pick(self._words.chat_lines).format(
            noun=self.noun(),
            verb=self.verb(),
            adjective=self.adjective(),
            place=self.place(),
            name=self.first_name(),
            hour=self.clock(),
        )
        return _tidy(said)

    def _document(self) -> TextDocument | None:
        # One text a screen: a page that jumps between books and scripts does not look like one.
        if self._opened is None and self._open_document is not None:
            self._opened = self._open_document()
        return self._opened

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
    return deal(words.split(), split)


def _share_lines(lines: str, split: str) -> tuple[str, ...]:
    return deal((" ".join(line.split()) for line in lines.split("|")), split)


def deal(items: Iterable[str], split: str) -> tuple[str, ...]:
    """Return the items that a split owns, each once."""
    # The hash is of the word alone: adding words later moves no other word to another split.
    return tuple(item for item in dict.fromkeys(items) if derive_seed(0, "vocabulary", item) % 10 in _SHARES[split])
