"""Evaluation of a real tiny checkpoint on a tiny corpus and on a folder of files as people have them."""

import json
import math
import sys
from dataclasses import asdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.base.config import load
from pipeline.base.errors import CheckpointError, ConfigError, MissingDependency, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.coding import compress_picture
from pipeline.evaluation import evaluate, perceptual
from pipeline.evaluation.config import PRESETS, EvaluateConfig
from pipeline.evaluation.metrics import measure
from pipeline.evaluation.peers import find_peer
from pipeline.evaluation.perceptual import SCORES, measure_perceptual
from pipeline.evaluation.results import read_summary
from pipeline.evaluation.subjects import open_subjects, spread
from pipeline.formats.picture import write_png
from tests.evaluation_inputs import make_sample, write_checkpoint, write_corpus

QUICK = EvaluateConfig(num_examples=1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def headless(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("headless"), seed=1, head=False)


@pytest.fixture(scope="module")
def samples():
    return [make_sample("a"), make_sample("b", kind="chat", height=64, width=100), make_sample("c", labelled=False)]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, checkpoint, headless, samples):
    """One evaluation of a corpus by two checkpoints, shared by the tests that read its outputs."""
    corpus = write_corpus(tmp_path_factory.mktemp("corpus"), samples)
    out = tmp_path_factory.mktemp("evaluation")
    progress = Tally()
    summary = evaluate.run(QUICK, checkpoints=[checkpoint, headless], pictures=corpus, out=str(out), progress=progress)
    assert (progress.num_total, progress.num_done) == (3, 3)
    return summary, out, pq.read_table(out / "results.parquet")


def _rows(table, **wanted):
    return [row for row in table.to_pylist() if all(row[key] == value for key, value in wanted.items())]


def test_every_picture_has_a_row_for_every_coder(evaluated, checkpoint, headless):
    summary, _, table = evaluated
    names = [evaluate.coder_name(checkpoints.load(path)) for path in (checkpoint, headless)]
    coders = [*names, "jpeg", "webp", "png", "webp_lossless"]
    assert [row.coder for row in summary.table] == coders
    assert {(row["picture"], row["coder"]) for row in table.to_pylist()} == {(k, c) for k in "abc" for c in coders}


def test_counted_bytes_are_the_whole_bitstreams(evaluated, checkpoint, samples):
    _, _, table = evaluated
    loaded = checkpoints.load(checkpoint)
    for sample in samples:
        encoded = compress_picture(loaded, sample.picture)
        (row,) = _rows(table, picture=sample.info.key, coder=evaluate.coder_name(loaded))
        assert row["num_bytes"] == len(encoded.data)
        assert row["bpp"] == 8 * len(encoded.data) / (sample.info.width * sample.info.height)
        assert row["psnr_whole"] == measure(sample.picture, encoded.reconstruction).psnr
        assert row["weights_sha256"] == loaded.weights_sha256


def test_lossy_peers_stay_within_the_first_checkpoints_bytes_or_say_so(evaluated, checkpoint):
    _, _, table = evaluated
    first = evaluate.coder_name(checkpoints.load(checkpoint))
    budgets = {row["picture"]: row["num_bytes"] for row in _rows(table, coder=first)}
    peers = _rows(table, kind="peer")
    assert {row["coder"] for row in peers} == {"jpeg", "webp"}
    for row in peers:
        assert row["matched_to"] == first
        assert (row["num_bytes"] > budgets[row["picture"]]) == row["over_budget"]
        assert row["quality"] is not None


def test_lossless_references_are_exact_and_unmatched(evaluated):
    summary, _, table = evaluated
    for row in _rows(table, kind="reference"):
        assert (row["psnr_whole"], row["matched_to"], row["quality"]) == (math.inf, None, None)
    (png,) = (row for row in summary.table if row.coder == "png")
    assert (png.exact, png.psnr_whole) == (3, None)


def test_label_sources_are_the_corpus_and_then_the_head(evaluated, checkpoint):
    summary, _, table = evaluated
    coder = evaluate.coder_name(checkpoints.load(checkpoint))
    sources = {row["picture"]: row["label_source"] for row in table.to_pylist()}
    assert sources == {"a": "corpus: compositor", "b": "corpus: compositor", "c": f"head of {coder}"}
    assert summary.labels == f"corpus: compositor (2), head of {coder} (1)"
    (row,) = _rows(table, picture="a", coder="png")
    assert (row["num_pixels_synthetic"], row["num_pixels_natural"]) == (96 * 79, 96 * 79)


def test_the_table_is_the_mean_of_the_rows(evaluated):
    summary, _, table = evaluated
    for line in summary.table:
        rows = _rows(table, coder=line.coder)
        assert line.pictures == len(rows) == 3
        assert line.bpp == pytest.approx(np.mean([row["bpp"] for row in rows]))
        finite = [row["psnr_natural"] for row in rows if row["psnr_natural"] is not None]
        if np.isfinite(finite).all():
            assert line.psnr_natural == pytest.approx(np.mean(finite))


def test_summary_file_is_json_and_names_config_versions_and_examples(evaluated):
    summary, out, _ = evaluated
    table = json.loads((out / "summary.json").read_bytes())
    assert read_summary(Store(out)) == table
    assert table["config"]["peers"] == ["jpeg", "webp"]
    assert {"torch", "numpy", "pillow", "python"} <= set(table["versions"])
    assert table["pooled_psnr"]["png"]["whole"] == "inf"
    (example,) = table["examples"]
    shown = [file["shows"] for file in example["files"]]
    assert shown == ["original", *(row.coder for row in summary.table[:4]), "label"]
    assert all((out / file["file"]).is_file() for file in example["files"])


def test_markdown_table_has_a_line_a_coder_and_says_how_it_was_made(evaluated):
    summary, _, _ = evaluated
    lines = summary.to_markdown().splitlines()
    assert len({line.count("|") for line in lines[: 2 + len(summary.table)]}) == 1
    assert lines[2].startswith(f"| {summary.table[0].coder} | 3 | {summary.table[0].bpp:.3f} |")
    assert f"lossy peers at the bytes of {summary.matched_to}" in "\n".join(lines)


def test_psnr_alone_is_the_default_and_adds_no_columns(evaluated):
    summary, out, table = evaluated
    assert (summary.perceptual, summary.undefined) == ((), "")
    assert not set(SCORES) & set(table.column_names)
    assert "SSIM" not in summary.to_markdown()
    assert "psnr-hvsm" not in json.loads((out / "summary.json").read_bytes())["versions"]


@pytest.fixture(scope="module")
def scored(tmp_path_factory, headless):
    """An evaluation by all metrics of two pictures, one with a saliency map, one too small for MS-SSIM."""
    pictures, maps = tmp_path_factory.mktemp("scored"), tmp_path_factory.mktemp("saliency")
    (pictures / "deep").mkdir()
    (maps / "deep").mkdir()
    large, small = make_sample("large", height=180, width=200).picture, make_sample("small").picture
    saliency = np.zeros(large.shape[:2], np.uint8)
    saliency[:, 100:] = 200
    (pictures / "deep" / "large.png").write_bytes(write_png(large))
    (maps / "deep" / "large.png").write_bytes(write_png(saliency[:, :, None]))
    (pictures / "small.webp").write_bytes(find_peer("webp_lossless").encode(small, 0))
    config = EvaluateConfig(metrics="all", saliency=str(maps), peers=("jpeg",), references=("png",), num_examples=1)
    out = tmp_path_factory.mktemp("scores")
    summary = evaluate.run(config, checkpoints=[headless], pictures=str(pictures), out=str(out), progress=Tally())
    return summary, out, {"deep/large.png": (large, saliency), "small.webp": (small, None)}


def test_all_metrics_are_columns_of_the_results(scored):
    _, out, pictures = scored
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert len(rows) == 6
    jpeg = find_peer("jpeg")
    for row in rows:
        original, saliency = pictures[row["picture"]]
        if row["coder"] == "jpeg":
            decoded = jpeg.decode(jpeg.encode(original, row["quality"]))
            assert {name: row[name] for name in SCORES} == asdict(measure_perceptual(original, decoded, saliency))
        if row["coder"] == "png":
            assert (row["psnr_hvs_m"], row["ssim"]) == (math.inf, 1.0)
        assert (row["psnr_s"] is None) == (row["picture"] == "small.webp")
        assert (row["ms_ssim"] is None) == (row["picture"] == "small.webp")


def test_the_perceptual_table_is_the_mean_of_what_is_finite(scored):
    summary, out, _ = scored
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert [line.coder for line in summary.perceptual] == [line.coder for line in summary.table]
    for line in summary.perceptual[:2]:
        values = {name: [row[name] for row in rows if row["coder"] == line.coder] for name in SCORES}
        assert line.vifp == pytest.approx(np.mean(values["vifp"]))
        assert [line.ms_ssim] == [value for value in values["ms_ssim"] if value is not None]
    png = summary.perceptual[2]
    assert (png.psnr_luma, png.psnr_hvs_m, png.ssim, png.vifp) == (None, None, 1.0, 1.0)
    assert summary.undefined == "psnr_s 1, ms_ssim 1 of 2 pictures"
    written = json.loads((out / "summary.json").read_bytes())
    assert written["perceptual"] == [asdict(line) for line in summary.perceptual]
    assert {"psnr-hvsm", "scipy"} <= set(written["versions"])
    assert written["notes"] == list(summary.notes)


def test_markdown_has_a_second_table_of_perceptual_scores(scored):
    summary, _, _ = scored
    lines = summary.to_markdown().splitlines()
    head = lines.index("| coder | PSNR luma | PSNR-S | PSNR-HVS | PSNR-HVS-M | SSIM | MS-SSIM | VIFP |")
    assert lines[head + 4] == "| png | - | - | - | - | 1.0000 | 1.0000 | 1.0000 |"
    assert any("psnr_s 1, ms_ssim 1 of 2 pictures" in line for line in lines)


@pytest.mark.parametrize("shape", [(96, 159, 1), (96, 160, 3)])
def test_a_saliency_map_that_does_not_fit_rejects_its_picture(tmp_path, headless, samples, shape):
    (tmp_path / "maps").mkdir()
    corpus = write_corpus(tmp_path / "corpus", samples[:2])
    (tmp_path / "maps" / "a.png").write_bytes(write_png(make_sample("map").picture[: shape[0], : shape[1], : shape[2]]))
    config = EvaluateConfig(metrics="all", saliency=str(tmp_path / "maps"), peers=(), references=(), num_examples=0)
    summary = evaluate.run(config, checkpoints=[headless], pictures=corpus, out=str(tmp_path / "out"), progress=Tally())
    assert [(row.picture, row.reason) for row in summary.rejected] == [("a", "bad_saliency")]
    assert summary.undefined == "psnr_s 1, ms_ssim 1 of 1 pictures"


def test_a_missing_library_or_folder_ends_the_evaluation_before_it_begins(tmp_path, headless, samples, monkeypatch):
    corpus = write_corpus(tmp_path / "corpus", samples[:1])

    def run(**settings):
        config = EvaluateConfig(num_examples=0, references=(), **settings)
        evaluate.run(config, checkpoints=[headless], pictures=corpus, out=str(tmp_path / "out"), progress=Tally())

    with pytest.raises(UsageError, match="maps: no such folder"):
        run(metrics="all", saliency=str(tmp_path / "maps"))
    perceptual._hvs_block_errors.cache_clear()
    monkeypatch.setitem(sys.modules, "psnr_hvsm.numpy", None)
    with pytest.raises(MissingDependency, match=r"psnr_hvsm\.numpy is not installed; pip install"):
        run(metrics="all")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_bad_files_measures_the_rest_and_lists_them(tmp_path, headless, samples):
    pictures = tmp_path / "pictures"
    (pictures / "deep").mkdir(parents=True)
    (pictures / "deep" / "good.png").write_bytes(write_png(samples[1].picture))
    (pictures / "text.png").write_text("no picture")
    (pictures / "cut.png").write_bytes(write_png(samples[0].picture)[:2000])
    (pictures / "notes.txt").write_text("not looked at")
    Image.new("RGBA", (20, 10), (10, 200, 30, 128)).save(pictures / "alpha.png")
    progress = Tally()
    summary = evaluate.run(
        QUICK, checkpoints=[headless], pictures=str(pictures), out=str(tmp_path / "out"), progress=progress
    )
    assert [(row.picture, row.reason) for row in summary.rejected] == [
        ("cut.png", "truncated"),
        ("text.png", "not_a_picture"),
    ]
    assert progress.rejected == {"truncated": 1, "not_a_picture": 1}
    assert summary.num_pictures == progress.num_done == 2
    assert summary.labels == "none (2)"
    assert summary.table[0].psnr_synthetic is None
    table = pq.read_table(tmp_path / "out" / "results.parquet")
    assert table["psnr_natural"].null_count == table.num_rows


def test_label_maps_beside_the_pictures_are_used(tmp_path, headless, samples):
    sample = samples[1]
    (tmp_path / "x.png").write_bytes(write_png(sample.picture))
    (tmp_path / "x.label.png").write_bytes(write_png(sample.label[:, :, None]))
    subjects = open_subjects(str(tmp_path), split="test", max_pictures=None)
    assert subjects.names == ("x.png",)
    loaded = subjects.load(0)
    assert loaded.label_source == "file"
    assert np.array_equal(loaded.label, sample.label)


def test_labels_none_measures_whole_pictures_only(tmp_path, checkpoint, samples):
    corpus = write_corpus(tmp_path / "corpus", samples[1:2])
    config = EvaluateConfig(labels="none", num_examples=0, peers=(), references=())
    summary = evaluate.run(
        config, checkpoints=[checkpoint], pictures=corpus, out=str(tmp_path / "out"), progress=Tally()
    )
    (row,) = summary.table
    assert (row.psnr_synthetic, row.psnr_natural) == (None, None)
    assert not (tmp_path / "out" / "examples").exists()


def test_requests_that_cannot_be_met_are_clear_errors(tmp_path, headless):
    def run(pictures, checkpoints):
        return evaluate.run(
            QUICK, checkpoints=checkpoints, pictures=str(pictures), out=str(tmp_path / "out"), progress=Tally()
        )

    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="no checkpoint given"):
        run(empty, [])
    with pytest.raises(UsageError, match="no pictures here"):
        run(empty, [headless])
    with pytest.raises(UsageError, match="neither a folder of pictures nor"):
        run(tmp_path / "missing", [headless])
    (empty / "bad.png").write_bytes(b"")
    with pytest.raises(UsageError, match="could be read: empty_file 1"):
        run(empty, [headless])
    with pytest.raises(UsageError, match="given more than once"):
        run(empty, [headless, headless])
    with pytest.raises(CheckpointError):
        run(empty, [str(tmp_path)])


@pytest.mark.parametrize(
    ("num_items", "num_chosen", "expected"), [(3, None, [0, 1, 2]), (3, 9, [0, 1, 2]), (10, 4, [0, 2, 5, 7])]
)
def test_pictures_are_chosen_evenly(num_items, num_chosen, expected):
    assert spread(num_items, num_chosen) == expected


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_load(preset):
    assert load(EvaluateConfig, preset, presets=PRESETS).peers == ("jpeg", "webp")


@pytest.mark.parametrize(
    "override",
    ["max_pictures=0", "metrics=ssim", "saliency=maps", 'peers=["png"]', 'references=["jpeg"]', 'peers=["gif"]'],
)
def test_bad_settings_are_config_errors(override):
    with pytest.raises(ConfigError):
        load(EvaluateConfig, "default", presets=PRESETS, overrides=[override])
