"""Typefaces in a folder: grouped, classified, used for what the others lack."""

import shutil
from pathlib import Path

import pytest

from datagen.canvas import Canvas
from datagen.config import CorpusConfig
from datagen.font_search import hold, typefaces
from datagen.fonts import BUILT_IN, FAMILIES
from datagen.planning import make
from datagen.theme import choose_theme
from pipeline.base.errors import UsageError
from pipeline.base.seeds import generator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return fonts under other families' names, so that they are not taken for the built-in ones."""
    from fontTools.ttLib import TTFont

    for name, family in (("Alpha Sans", "dejavu-sans"), ("Beta Serif", "dejavu-serif"), ("Gamma Mono", "dejavu-mono")):
        for style in ("regular", "bold", "italic"):
            with TTFont(FAMILIES[family].file(style)) as font:
                for record in font["name"].names:
                    if record.nameID in (1, 16):
                        font["name"].setName(name, record.nameID, record.platformID, record.platEncID, record.langID)
                (tmp_path / "deep").mkdir(exist_ok=True)
                font.save(tmp_path / "deep" / f"{name.split()[0]}-{style}.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0 not a font")
    (tmp_path / "notes.txt").write_text("no font")
    return tmp_path


def test_families_are_put_together_and_told_apart(folder: Path) -> None:
    found = [family for family in typefaces(str(folder)).families if family.name not in FAMILIES]
    assert [(family.name, family.kind) for family in found] == [
        ("alpha-sans", "sans"),
        ("beta-serif", "serif"),
        ("gamma-mono", "mono"),
    ]
    for family in found:
        stem = family.name.split("-")[0].capitalize()
        assert [Path(path).name for path in (family.regular, family.bold, family.italic)] == [
            f"{stem}-{style}.ttf" for style in ("regular", "bold", "italic")
        ]
        assert "Bitstream" in family.licence or "DejaVu" in family.licence or family.licence != "unknown"
        assert {other.name for other in family.fallback} >= set(FAMILIES)


def test_themes_use_what_was_found(folder: Path) -> None:
    from datagen.canvas import Display

    canvas = Canvas(64, 64, (0, 0, 0), display=Display(typefaces=typefaces(str(folder))))
    themes = [choose_theme(generator(seed), canvas, dark_share=0.5) for seed in range(60)]
    assert {"alpha-sans", "roboto"} <= {theme.sans.name for theme in themes}
    assert {theme.mono.name for theme in themes} == {"gamma-mono", "dejavu-mono"}
    plain = [choose_theme(generator(seed), Canvas(64, 64, (0, 0, 0)), dark_share=0.5) for seed in range(60)]
    assert {theme.sans.name for theme in plain} == {"roboto", "source-sans", "dejavu-sans"}


def test_the_plan_records_every_font_file_with_its_digest(folder: Path) -> None:
    plan = make(CorpusConfig(fonts=str(folder)))
    fonts = [planned.source for planned in plan.sources if planned.source.kind == "font"]
    assert len(fonts) == 3 * len(FAMILIES) + 9
    assert {source.name for source in fonts} >= {"Alpha-bold.ttf", "Gamma-italic.ttf"}


def test_the_plan_holds_a_folder_that_workers_elsewhere_find(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert make(CorpusConfig(fonts="deep")).config.fonts == str(folder / "deep")
    assert make(CorpusConfig(fonts=None)).config.fonts is None


def test_what_another_process_found_is_not_looked_for_again(tmp_path: Path) -> None:
    hold(str(tmp_path), BUILT_IN)
    assert typefaces(str(tmp_path)) is BUILT_IN


def test_a_folder_without_fonts_is_a_clear_mistake(tmp_path: Path) -> None:
    assert typefaces(None) is BUILT_IN
    with pytest.raises(UsageError, match="no such folder"):
        typefaces(str(tmp_path / "gone"))
    shutil.copy(__file__, tmp_path / "a.txt")
    with pytest.raises(UsageError, match="holds no font"):
        typefaces(str(tmp_path))
