"""Texts people wrote and source files: cut, cleaned, dealt, shown."""

import re
from pathlib import Path

import numpy as np
import pytest

from datagen.config import SPLITS
from datagen.documents import DocumentError, read_code, read_text
from datagen.highlighting import LANGUAGES, highlight
from datagen.materials import Materials
from datagen.sources import Photo, PlannedSource, deal_by_hash, find_code, find_texts
from datagen.texts import words_of
from datagen.writings import Library, open_code, open_text
from pipeline.base.errors import UsageError

MARKDOWN = """# The long harbour

The harbour is *old*. Its [pier](https://a.org) was built of oak. Nobody knows by whom.
Ships come in at noon.

```
code that is no prose. It is left out. Really.
```

Second part
===========

- The market opens at six. Fish is sold first. Then comes the bread.
"""
SCRIPTS = {
    "greek": ("Η θάλασσα ήταν ήρεμη. " * 6, 6),  # noqa: RUF001
    "chinese": ("海面上很平静，没有风。渔船一早就出发了。人们都在谈论天气！" * 3, 9),  # noqa: RUF001
    "arabic": ("كان البحر هادئا في الصباح. هل غادرت القوارب الميناء مبكرا؟ " * 4, 8),
    "hindi": ("समुद्र शांत था और हवा नहीं थी। नावें सुबह जल्दी निकल गईं। " * 4, 8),
}


def files(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def prose(number: int) -> str:
    return "\n\n".join(f"Sentence {number} has the part {part} in it. It ends here, {number}." for part in range(4))


def test_markdown_gives_headlines_and_sentences_without_its_signs() -> None:
    document = read_text(MARKDOWN.encode())
    assert document.headlines == ("The long harbour", "Second part")
    assert document.paragraphs[0][:2] == ("The harbour is old.", "Its pier was built of oak.")
    assert document.paragraphs[1][0] == "The market opens at six." and len(document.paragraphs) == 2


@pytest.mark.parametrize("script", SCRIPTS)
def test_sentences_end_where_their_script_says(script: str) -> None:
    text, num_sentences = SCRIPTS[script]
    (paragraph,) = read_text(text.encode()).paragraphs
    assert len(paragraph) == num_sentences
    assert read_text(text.encode("utf-16")).paragraphs == (paragraph,)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too_short"),
        (b"One. Two words here.", "too_short"),
        (b"\0" * 99, "not_text"),
        (b"\xff\x81" * 99, "not_text"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_text(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "secret",
    [
        'password = "correct horse battery"'.replace(" horse ", "-horse-"),
        "aws = AKIAABCDEFGHIJKLMNOP",
        "url: postgres://ann:hunter22@db/x",
        "key = ghp_" + "a1B2" * 9,
        'API_KEY: "0123456789abcdef"',
        "blob = " + "aB3/" * 15,
    ],
)
def test_lines_that_look_like_keys_are_left_out_and_counted(secret: str) -> None:
    lines = [f"value_{number} = {number}" for number in range(8)]
    document = read_code("\n".join([*lines[:4], secret, *lines[4:]]).encode())
    assert document.lines == tuple(lines) and document.num_secret_lines == 1


def test_ordinary_lines_are_kept() -> None:
    lines = [
        "# " + "-" * 60,
        "# " + "=" * 60,
        "token = next(tokens)",
        "import a_rather_long.module_name.of_some.package",
        "x = 'key'",
    ]
    assert read_code("\n".join(lines).encode()).lines == tuple(lines)


def test_private_keys_and_generated_files_are_refused() -> None:
    for text, reason in (
        ("-----BEGIN RSA PRIVATE KEY-----\n" * 9, "secrets"),
        ("var a=1;" * 100 + "\n" + "x\n" * 3 + "y" * 999 + "\n" + "z" * 999, "generated"),
        ("x = 1\n", "too_short"),
    ):
        with pytest.raises(DocumentError) as caught:
            read_code(text.encode())
        assert caught.value.reason == reason


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_tokens_add_up_to_their_lines_in_every_language(language: str) -> None:
    lines = ["", "  if (a < 1) { // twelve", 'name: "text" # 4', "", "/* two", "lines */ end", "<b class='x'>é</b>", ""]
    assert ["".join(text for text, _ in line) for line in highlight(lines, language)] == lines


def test_code_is_coloured_by_what_it_is() -> None:
    (line,) = highlight(["def area(x): return 'm' + 3  # note"], "python")
    kinds = {text.strip(): kind for text, kind in line}
    assert (kinds["def"], kinds["area"], kinds["3"], kinds["# note"]) == ("keyword", "function", "number", "comment")


def test_texts_go_to_one_split_each_and_samples_say_which_they_show(tmp_path: Path) -> None:
    folder = files(tmp_path, {f"{number}.txt": prose(number) for number in range(12)})
    files(tmp_path, {"copy.md": prose(3).replace("\n\n", "\n\n\n"), "notes.pdf": "", "stub.txt": "Too short."})
    found = find_texts(str(folder))
    refused = {refused.name: refused.reason for refused in found.refused}
    assert refused == {"copy.md": "duplicate", "stub.txt": "too_short"}
    dealt = deal_by_hash(found.sources, {"train": 6, "val": 2, "test": 2}, seed=0)
    assert {text.split for text in dealt} == set(SPLITS)
    said: dict[str, set[str]] = {}
    for split in SPLITS:
        library = Library(texts=tuple(text for text in dealt if text.split == split))
        for seed in range(6):
            materials = Materials((), words_of(split), load=_no_photo, rng=np.random.default_rng(seed), library=library)
            shown = {*re.findall(r"Sentence (\d+)", materials.text.paragraph(3) + materials.text.sentence())}
            (text, words) = materials.sources
            assert words.name == f"words-{split}" and shown == {text.name.removesuffix(".txt")}
            said.setdefault(split, set()).update(shown)
    assert not said["train"] & said["test"] and not said["train"] & said["val"]
    assert open_text(dealt[0]) is open_text(dealt[0])


def test_code_shows_a_file_of_the_split_and_is_composed_where_there_is_none(tmp_path: Path) -> None:
    files(
        tmp_path, {"a/deep.py": "import os\n" * 3 + "x = 1\ny = 2\n", "b.rs": "fn main() {\n" + "  go();\n" * 5 + "}\n"}
    )
    files(tmp_path, {"node_modules/dep.js": "let a = 1;\n" * 9, "key.py": "a = 1\n" * 6 + 'token = "abcdefgh12345"\n'})
    found = find_code(str(tmp_path))
    assert [code.source.name for code in found.sources] == ["a/deep.py", "b.rs", "key.py"]
    assert [(refused.name, refused.reason) for refused in found.refused] == [("key.py", "secret_lines")]
    library = Library(code=found.sources)
    rng = np.random.default_rng(1)
    materials = Materials((), words_of("train"), load=_no_photo, rng=rng, library=library)
    listing = materials.code("rust")
    assert (listing.language, listing.file_name, len(listing.lines)) == ("Rust", "b.rs", 7)
    assert materials.sources[0].kind == "code" and materials.sources[0].name == "b.rs"
    assert "token" not in "".join(text for line in open_code(found.sources[2]).lines for text, _ in line)
    composed = materials.code("typescript", num_lines=50)
    assert composed.language == "TypeScript" and composed.file_name.endswith(".ts") and len(composed.lines) >= 50


def test_a_text_that_no_typeface_can_set_is_refused(tmp_path: Path) -> None:
    japanese = "\u543e\u8f29\u306f\u732b\u3067\u3042\u308b\u3002" * 8
    folder = files(tmp_path, {"ja.txt": japanese, "ru.txt": "\u041a\u043e\u0442 \u0441\u043f\u0438\u0442. " * 8})
    files(tmp_path, {"en.txt": prose(1) * 40 + " \u543e."})
    found = find_texts(str(folder))
    assert {text.source.name for text in found.sources} == {"en.txt", "ru.txt"}, "one foreign letter is no reason"
    assert [(refused.name, refused.reason) for refused in found.refused] == [("ja.txt", "no_typeface")]
    assert len(find_texts(str(folder), covers=bool).sources) == 3


def test_a_folder_without_texts_or_code_is_a_mistake_of_the_person(tmp_path: Path) -> None:
    files(tmp_path, {"a.bin": "x"})
    for find in (find_texts, find_code):
        with pytest.raises(UsageError, match="holds no files of"):
            find(str(tmp_path))


def _no_photo(planned: PlannedSource) -> Photo:
    raise AssertionError("no photograph is wanted here")
