"""The report: one file, nothing fetched, nothing unescaped, readable in a real browser at desktop and phone widths."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store, sha256_hex
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.coding import compress_picture
from pipeline.evaluation import evaluate
from pipeline.evaluation import page as page_module
from pipeline.evaluation.charts import SERIES, Line, line_chart, scatter_chart
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.figures import CROP_HEIGHT, CROP_WIDTH, busiest_crop, error_picture
from pipeline.evaluation.page import image, table, text
from pipeline.evaluation.report import write_report
from pipeline.formats.archive import CodedPicture, write_shard
from pipeline.formats.archive_records import Rejection, write_info
from pipeline.formats.picture import digest_pixels, write_png
from tests.evaluation_inputs import make_sample, write_checkpoint, write_corpus

CSS = (Path(page_module.__file__).parent / "report.css").read_text(encoding="utf-8")
HOSTILE = "<img src=x onerror=alert(1)>\"'&.png"


def _write_run(folder):
    folder.mkdir()
    rows = []
    for step in range(10, 61, 10):
        row = {
            "split": "train",
            "step": step,
            "loss": 9 / step,
            "estimated_bpp": 0.5,
            "psnr": 20 + step / 10,
            "label_iou": 0.5,
        }
        rows.append(row | {"read_ms": 50.0, "model_ms": 450.0, "psnr_synthetic": None, "psnr_natural": None})
    rows.append(rows[-1] | {"split": "val", "psnr_synthetic": 21.125, "psnr_natural": 27.25})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines + '{"split": "train", "step": 7')
    (folder / "config.toml").write_text('codec = "mtl_sci"\nnote = "</pre><script>alert(2)</script>"\n')


def _write_archive(folder, checkpoint):
    loaded, store = checkpoints.load(checkpoint), Store(folder)
    picture = make_sample("archived").picture
    data = compress_picture(loaded, picture).data
    coded = CodedPicture(
        name="screens/one.png",
        data=data,
        pixels_sha256=bytes.fromhex(digest_pixels(picture)),
        file_sha256=bytes.fromhex(sha256_hex(write_png(picture))),
        source_mode="RGB",
        codec="mtl_sci",
        weights_sha256=bytes.fromhex(loaded.weights_sha256),
        psnr_db=12.34,
        num_input_bytes=len(write_png(picture)),
    )
    refused = Rejection(name=HOSTILE, reason="not_a_picture", message=f"{HOSTILE}: no picture format")
    write_info(store, {"codec": "mtl_sci"})
    write_shard(store, 0, [coded, refused], plan_sha256="0" * 64)
    return len(data)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The outputs of all stages, small, with hostile names among them."""
    root = tmp_path_factory.mktemp("stages")
    checkpoint = write_checkpoint(root / "checkpoint")
    corpus = write_corpus(root / "corpus", [make_sample("a", height=240, width=400), make_sample("b", kind="<b>chat")])
    _write_run(root / "run")
    _write_archive(root / "archive", checkpoint)
    pictures = root / "pictures"
    pictures.mkdir()
    (pictures / HOSTILE).write_bytes(write_png(make_sample("hostile", height=300, width=640).picture))
    (pictures / "bad<script>.png").write_bytes(b"")
    for name, source in (("evaluation", corpus), ("hostile", str(pictures))):
        config = EvaluateConfig(num_examples=1, metrics="all" if name == "evaluation" else "psnr")
        evaluate.run(config, checkpoints=[checkpoint], pictures=source, out=str(root / name), progress=Tally())
    return root


def _write(folders, path, **parts):
    write_report(str(path), **{part: str(folders / name) for part, name in parts.items()})
    return path.read_text(encoding="utf-8")


ALL = {"corpus": "corpus", "run": "run", "archive": "archive", "evaluation": "evaluation"}


@pytest.fixture(scope="module")
def page(folders, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return path, _write(folders, path, **ALL)


def test_numbers_of_every_stage_are_on_the_page(folders, page):
    _, written = page
    summary = json.loads((folders / "evaluation" / "summary.json").read_bytes())
    for row in summary["table"]:
        assert f'<td class="number">{row["bpp"]:.3f}</td>' in written
    for row in summary["perceptual"]:
        assert f'<td class="number">{row["vifp"]:.4f}</td>' in written
    assert "Not defined: psnr_s 2, ms_ssim 1 of 2 pictures." in written
    assert "3 screens" in written
    assert "60 steps" in written
    # Six reports, ten steps each, half a second a step.
    assert "30.0 s inside steps" in written
    assert '<td class="number">27.250</td>' in written
    assert "1 of 1" in written
    assert "1 input rejected: not_a_picture 1" in written
    assert "compositor" in written
    assert "layout" in written


def test_an_evaluation_by_a_release_without_perceptual_scores_is_shown(folders, tmp_path):
    old = shutil.copytree(folders / "hostile", tmp_path / "old")
    summary = json.loads((old / "summary.json").read_bytes())
    del summary["perceptual"], summary["undefined"], summary["config"]["metrics"]
    (old / "summary.json").write_text(json.dumps(summary))
    path = tmp_path / "report.html"
    write_report(str(path), evaluation=str(old))
    written = path.read_text(encoding="utf-8")
    assert f'<td class="number">{summary["table"][0]["bpp"]:.3f}</td>' in written
    assert "PSNR-HVS" not in written


def test_the_page_fetches_nothing_and_runs_nothing(page):
    _, written = page
    targets = re.findall(r"""(?:src|href|action|data|poster|srcset)\s*=\s*["']([^"']*)""", written)
    assert len(targets) > 20
    assert all(target.startswith(("data:image/", "#")) for target in targets)
    assert not re.search(r"@import|url\((?!#)", written)
    assert "<script" not in written.lower()
    assert "Content-Security-Policy\" content=\"default-src 'none'" in written


def test_ids_are_unique_and_links_lead_somewhere(page):
    _, written = page
    ids = re.findall(r'\bid="([^"]*)"', written)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', written)) <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", written)) <= set(ids)


def test_the_same_folders_give_the_same_bytes(folders, page, tmp_path):
    _, written = page
    assert _write(folders, tmp_path / "again.html", **ALL) == written


def test_hostile_names_are_text(folders, tmp_path):
    written = _write(folders, tmp_path / "r.html", evaluation="hostile", archive="archive", corpus="corpus", run="run")
    assert html.escape(HOSTILE, quote=True) in written
    assert "&lt;b&gt;chat" in written
    assert "bad&lt;script&gt;.png" in written
    for raw in (HOSTILE, "<img src=x", "<script", "<b>chat"):
        assert raw not in written


def test_head_labels_are_named_as_such(folders, tmp_path):
    written = _write(folders, tmp_path / "r.html", evaluation="hostile")
    assert re.search(r"Classes of pixels: head of mtl_sci@[0-9a-f]{8} \(1\)", written)


def test_absent_parts_are_stated(folders, tmp_path):
    written = _write(folders, tmp_path / "r.html", run="run")
    for sentence in ("No corpus was given.", "No archive was given.", "No evaluation was given."):
        assert sentence in written
    assert "it is not finished" in written


def test_a_damaged_part_is_stated_and_the_others_are_shown(folders, tmp_path):
    archive = tmp_path / "archive"
    shutil.copytree(folders / "archive", archive)
    tar = bytearray((archive / "shards" / "000000.tar").read_bytes())
    # Within the bitstream: behind the tar header (512) and the pack's directory.
    tar[700] ^= 1
    (archive / "shards" / "000000.tar").write_bytes(tar)
    (tmp_path / "unfinished").mkdir()
    write_report(
        str(tmp_path / "r.html"),
        corpus=str(tmp_path / "unfinished"),
        archive=str(archive),
        run=str(folders / "run"),
    )
    written = (tmp_path / "r.html").read_text()
    assert "0 of 1" in written
    assert "not a finished corpus" in written
    assert "60 steps" in written


def test_requests_that_cannot_be_met_are_clear_errors(tmp_path):
    with pytest.raises(UsageError, match="nothing to report on"):
        write_report(str(tmp_path / "r.html"))
    with pytest.raises(UsageError, match="missing: no such folder"):
        write_report(str(tmp_path / "r.html"), corpus=str(tmp_path / "missing"))
    assert list(tmp_path.iterdir()) == []


def test_texts_are_escaped_and_images_come_from_nowhere():
    assert text("<&\"'\x1b\n") == "&lt;&amp;&quot;&#x27;\N{REPLACEMENT CHARACTER}\n"
    assert '<td class="number">&lt;1</td>' in table(("a", "b"), [("x", "<1")])
    with pytest.raises(ValueError, match="data: URI"):
        image("http://elsewhere/x.png", alt="", size=(1, 1))


def test_charts_are_deterministic_themed_and_literal():
    line = Line(name="$\\frac{1}{2}$ <b>", x=(1, 2), y=(3.0, 4.0), colour="series-1")
    chart = line_chart([line, line], title="Loss", x_label="step")
    assert chart == line_chart([line, line], title="Loss", x_label="step")
    assert "var(--series-1)" in chart
    assert "#0102" not in chart
    assert "$\\frac{1}{2}$ &lt;b&gt;" in chart
    assert "<style" not in chart


def test_names_of_many_series_fit_beside_their_points():
    series = [Line(name=f"codec-{place}@0123abcd", x=(1.0,), y=(2.0,), colour=SERIES[place]) for place in range(8)]
    few, many = (scatter_chart(series[:number], title="T", x_label="x", y_label="y") for number in (3, 8))
    assert [int(float(re.search(r'height="([\d.]+)pt"', chart)[1])) for chart in (few, many)] == [260, 296]
    assert all(f"var(--{name})" in many and f"--{name}:" in CSS for name in SERIES)


def test_crops_find_the_detail_inside_the_mask():
    picture = np.zeros((400, 700, 3), np.uint8)
    picture[10:60:2, 20:90] = 255
    picture[300:340:2, 600:690] = 120
    everywhere = busiest_crop(picture)
    assert (everywhere.top, everywhere.left) <= (10, 20)
    assert (everywhere.height, everywhere.width) == (CROP_HEIGHT, CROP_WIDTH)
    right = np.zeros((400, 700), np.bool_)
    right[:, 350:] = True
    masked = busiest_crop(picture, right)
    assert masked.left + masked.width >= 690
    assert masked.of(picture).max() == 120
    assert busiest_crop(picture, np.zeros((400, 700), np.bool_)) is None
    assert busiest_crop(picture[:1, :1]).of(picture[:1, :1]).shape == (1, 1, 3)


def test_error_pictures_are_amplified_and_clipped():
    original = np.array([[[10, 200, 0]]], np.uint8)
    decoded = np.array([[[13, 100, 0]]], np.uint8)
    assert error_picture(original, decoded, gain=4).tolist() == [[[12, 255, 0]]]


# What the page's own browser sees; posted to the page around it, whose DOM is then dumped.
_PROBE = """<style>* { transition: none !important; }</style><script>
addEventListener("load", () => {
  const root = document.documentElement;
  const wide = [...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll, pre, .chart, .switch")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className);
  const broken = [...document.images].filter(i => !i.complete || !i.naturalWidth).length;
  const overlays = {};
  for (const view of ["picture", "label", "regions"]) {
    document.getElementById("show-" + view).click();
    const opacity = name => getComputedStyle(document.querySelector(".layer." + name)).opacity;
    overlays[view] = ["label", "regions"].filter(name => opacity(name) > 0.3);
  }
  const found = {overlays, inner: innerWidth, scroll: root.scrollWidth, wide, broken, images: document.images.length,
    charts: document.querySelectorAll("svg.chart").length,
    sections: [...document.querySelectorAll("section h2")].map(e => e.textContent)};
  parent.postMessage(JSON.stringify(found), "*");
});
</script>"""


def _chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail("no Chromium on this machine, and CI promises one")
    pytest.skip("no Chromium on this machine")


def _browse(tmp_path, *arguments):
    command = [_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1280])
def test_a_browser_shows_all_parts_without_overflow(page, tmp_path, width):
    """A page of the given width, in a frame: headless Chromium has no window as narrow as a phone."""
    _, written = page
    probed = re.sub(r"<meta http-equiv[^>]*>", "", written).replace("</body>", f"{_PROBE}</body>")
    (tmp_path / "probed.html").write_text(probed, encoding="utf-8")
    frame = f'<iframe src="probed.html" width="{width}" height="900" style="border:0"></iframe>'
    listen = "addEventListener('message', e => document.body.setAttribute('data-found', e.data))"
    (tmp_path / "frame.html").write_text(f"<body><script>{listen}</script>{frame}</body>", encoding="utf-8")
    dom = _browse(tmp_path, "--window-size=1400,1000", "--dump-dom", f"file://{tmp_path / 'frame.html'}")
    found = json.loads(html.unescape(re.search(r'data-found="([^"]*)"', dom).group(1)))
    assert found["inner"] == width
    assert found["scroll"] <= width, found["wide"]
    assert found["wide"] == []
    assert found["sections"] == ["Corpus", "Training", "Evaluation", "Archive"]
    assert (found["broken"], found["charts"]) == (0, 7)
    assert found["images"] > 15
    assert found["overlays"] == {"picture": [], "label": ["label"], "regions": ["regions"]}


@pytest.mark.browser
def test_a_browser_renders_the_page_itself(page, tmp_path):
    path, _ = page
    picture = tmp_path / "page.png"
    _browse(tmp_path, "--window-size=1280,2000", f"--screenshot={picture}", f"file://{path}")
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    # The label overlay's two tints and the tiles' panel are on it: style sheet and data: pictures passed the policy.
    assert pixels.shape == (2000, 1280, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1000
