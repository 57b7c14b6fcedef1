"""Pages that people have: found, recorded, labelled; nothing reached that was not asked for."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from datagen.browser.chromium import Browser
from datagen.browser.recording import Recording, Response, read_recording
from datagen.browser.rendered import Rendered
from datagen.browser.tab import Window
from datagen.browser.user_pages import PageSource, find_pages, record, render_recording
from pipeline.base.errors import PictureError, UsageError
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.browser_pages import jpeg, needs_chromium
from tests.photo_files import encoded, scenery

WINDOW = Window(width=640, height=400, scale=1.0)
SMALL = Window(width=320, height=200, scale=1.0)
STYLE = """<link rel=stylesheet href="/style.css"><style>img,div{position:absolute;width:100px;height:80px}</style>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with one page that shows pictures in many ways."""
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(jpeg(scenery(9)))
    (folder / "photo.jpg").write_bytes(jpeg(scenery(1)))
    chart = Image.new("RGB", (200, 160), "white")
    ImageDraw.Draw(chart).rectangle((30, 30, 150, 120), fill="teal")
    (folder / "chart.png").write_bytes(encoded(np.asarray(chart)))
    (folder / "marked.png").write_bytes(encoded(np.asarray(chart.rotate(180))))
    (folder / "style.css").write_text(".hero{background:url(photo.jpg) center/cover}")
    inline = base64.b64encode(jpeg(scenery(2))).decode()
    (folder / "sub" / "page.html").write_text(
        f"""<!doctype html>{STYLE}<body style="margin:0">
        <img src="../photo.jpg" style="left:0;top:0">
        <div class="hero" style="left:110px;top:0"></div>
        <img src="data:image/jpeg;base64,{inline}" style="left:220px;top:0">
        <img src="../chart.png" style="left:330px;top:0">
        <img src="../marked.png" data-diptych="photo" style="left:440px;top:0">
        <img src="/%2e%2e/secret.jpg" style="left:0;top:100px"><img src="/..%2fsecret.jpg" style="left:0;top:100px">
        <img src="http://elsewhere.invalid/x.jpg" style="left:110px;top:100px">
        <img id="late" style="left:220px;top:100px">
        <p id="now" style="position:absolute;left:0;top:200px"></p>
        <script>document.getElementById("now").textContent = Date.now() + " " + Math.random();
        setTimeout(() => {{ document.getElementById("late").src = "../photo.jpg?late" }}, 50);</script>"""
    )
    return folder


@pytest.mark.browser
@needs_chromium
def test_pictures_are_labelled_however_a_page_shows_them(browser: Browser, site: Path) -> None:
    (source,) = find_pages(str(site))
    assert source.name == "sub/page.html"
    found = visit(browser, source, WINDOW)
    for x, y, expected in [
        (50, 40, 1),
        (160, 40, 1),
        (270, 40, 1),
        (360, 40, 0),
        (470, 40, 1),
        (270, 140, 1),
        (600, 300, 0),
    ]:
        assert found.label[y, x] == expected, (x, y)
    assert found.details["num_photos"] == 4
    assert found.details["agreement"]["natural"] > 0.99


@pytest.mark.browser
@needs_chromium
def test_nothing_outside_the_folder_is_reached(browser: Browser, site: Path) -> None:
    recording = record(browser, find_pages(str(site))[0], [WINDOW])
    assert not any("secret" in url or "elsewhere" in url for url in recording.responses)
    assert sorted(url.removeprefix("http://pages.invalid/") for url in recording.responses) == [
        "chart.png",
        "marked.png",
        "photo.jpg",
        "photo.jpg?late",
        "style.css",
        "sub/page.html",
    ]


@pytest.mark.browser
@needs_chromium
def test_a_recording_is_drawn_alike_without_its_folder(browser: Browser, site: Path) -> None:
    source = find_pages(str(site))[0]
    recording = record(browser, source, [WINDOW])
    assert record(browser, source, [WINDOW]).sha256 == recording.sha256
    again = read_recording(recording.to_bytes(), where="recording")
    assert again == recording and again.sha256 == recording.sha256
    for file in site.rglob("*.*"):
        file.unlink()
    first, second = (render_recording(browser, item, WINDOW) for item in (recording, again))
    assert np.array_equal(first.picture, second.picture) and np.array_equal(first.label, second.label)


@pytest.mark.browser
@needs_chromium
def test_a_page_of_the_network_is_recorded_once(browser: Browser, site: Path) -> None:
    handler = partial(_Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (source,) = find_pages(f"http://127.0.0.1:{server.server_port}/sub/page.html")
        recording = record(browser, source, [WINDOW])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    found = render_recording(browser, recording, WINDOW)
    assert found.label[40, 50] == NATURAL and found.label[40, 470] == NATURAL and found.label[300, 600] == SYNTHETIC
    with pytest.raises(PictureError) as caught:
        record(browser, source, [WINDOW])
    assert caught.value.reason == "page_failed"


@pytest.mark.browser
@needs_chromium
def test_a_picture_that_may_be_a_photograph_is_ignored(browser: Browser, tmp_path: Path) -> None:
    dull = (scenery(4) // 6 + 30).astype(np.uint8)
    (tmp_path / "dull.png").write_bytes(encoded(dull))
    (tmp_path / "index.html").write_text(
        f"<!doctype html>{STYLE}<img src=dull.png style='left:0;top:0'>"
        "<div style='left:20px;top:20px;width:20px;height:20px;background:#fff'></div>"
    )
    found = visit(browser, find_pages(str(tmp_path))[0], SMALL)
    assert found.details["num_unsure"] == 1, "the picture is no longer a doubtful one"
    assert found.label[60, 60] == IGNORE and found.label[30, 30] == SYNTHETIC and found.label[150, 200] == SYNTHETIC


@pytest.mark.browser
@needs_chromium
def test_photographs_in_frames_are_labelled_and_their_boxes_found(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg(scenery(3)))
    inner = f"{STYLE}<body style='margin:0;background:#eee'><img src=photo.jpg style='left:20px;top:10px'><p>Words"
    (tmp_path / "inner.html").write_text(inner)
    (tmp_path / "page.html").write_text(
        "<body style='margin:0'><iframe src=inner.html style='position:absolute;left:100px;top:50px;width:200px;"
        "height:80px;border:2px solid #000'></iframe>"
    )
    drawn = visit(browser, PageSource(name="page.html", folder=str(tmp_path)), WINDOW)
    # The frame's inside begins at (102, 52) and ends at y = 132, where the photograph is cut.
    expected = np.full((WINDOW.height, WINDOW.width), SYNTHETIC)
    expected[62:132, 122:222] = NATURAL
    assert np.array_equal(drawn.label, expected) and np.array_equal(drawn.boxes, expected)
    assert any((region.area.x, region.area.y) == (122, 62) for region in drawn.regions)
    assert drawn.num_letters == len("Words")


def test_a_paused_video_is_a_photograph(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "film.webm").write_bytes(_film(browser))
    (tmp_path / "index.html").write_text(
        f"<!doctype html>{STYLE}<video src=film.webm autoplay muted loop "
        "style='position:absolute;left:10px;top:10px;width:160px;height:120px'></video>"
        "<div style='left:20px;top:20px;width:40px;height:20px;background:#fff'></div>"
    )
    found = visit(browser, find_pages(str(tmp_path))[0], SMALL)
    assert found.label[100, 100] == NATURAL and found.label[30, 30] == SYNTHETIC and found.label[180, 200] == SYNTHETIC


@pytest.mark.browser
@needs_chromium
def test_a_page_that_changes_from_load_to_load_is_refused(browser: Browser) -> None:
    # Two channels, so that one of them goes on where the other starts again.
    colour = "`rgb(9,${t % 250 | 0},${(t + 125) % 250 | 0})`"
    script = f"const t = performance.timeOrigin / 100; document.body.style.background = {colour}"
    recording = recorded(f"<body><script>{script}</script>")
    with pytest.raises(PictureError) as caught:
        render_recording(browser, recording, Window(width=200, height=100, scale=1.0))
    assert caught.value.reason == "unstable"


@pytest.mark.browser
@needs_chromium
def test_a_page_is_looked_at_further_down(browser: Browser) -> None:
    halves = [f"<div style='height:500px;background:{colour}'></div>" for colour in ("#00f", "#f00")]
    html = "<body style='margin:0'>" + "".join(halves)
    window = Window(width=200, height=100, scale=1.0)
    top, end = (render_recording(browser, recorded(html), window, scroll=scroll) for scroll in (0.0, 1.0))
    assert top.picture[50, 50].tolist() == [0, 0, 255] and end.picture[50, 50].tolist() == [255, 0, 0]


def test_pages_are_found_in_folders_files_and_lists(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text("b")
    (tmp_path / "a.htm").write_text("a")
    (tmp_path / "urls.txt").write_text(
        "# pages\nhttps://example.org/x\n\nhttps://example.org/x\nhttp://example.org/y\n"
    )
    assert [page.name for page in find_pages(str(tmp_path))] == ["a.htm", "b.html"]
    assert find_pages(str(tmp_path / "b.html")) == [PageSource(name="b.html", folder=str(tmp_path))]
    listed = find_pages(str(tmp_path / "urls.txt"))
    assert [page.name for page in listed] == ["https://example.org/x", "http://example.org/y"]
    assert find_pages("https://example.org/")[0].address == "https://example.org/"


@pytest.mark.parametrize("content", ["", "file:///etc/passwd\n", "# nothing\n"])
def test_a_list_without_urls_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "urls.txt").write_text(content)
    with pytest.raises(UsageError):
        find_pages(str(tmp_path / "urls.txt"))
    with pytest.raises(UsageError):
        find_pages(str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match=r"no \.html"):
        find_pages(str(tmp_path))


def test_every_damaged_recording_is_reported() -> None:
    data = recorded("<p>Text").to_bytes()
    for size in range(0, len(data), 7):
        with pytest.raises(PictureError, match="not a recorded page"):
            read_recording(data[:size], where="recording")


def visit(browser: Browser, source: PageSource, window: Window) -> Rendered:
    return render_recording(browser, record(browser, source, [window]), window)


def recorded(html: str) -> Recording:
    response = Response(status=200, content_type="text/html", data=html.encode())
    return Recording(name="page", address="http://pages.invalid/", responses={"http://pages.invalid/": response})


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written."""

    def handle(self) -> None:
        # The browser closes connections that it opened in advance.
        with contextlib.suppress(ConnectionError):
            super().handle()


def _film(browser: Browser) -> bytes:
    """Return a WebM film of noise, made by the browser itself."""
    script = """async () => {
      const canvas = document.createElement('canvas');
      canvas.width = 160; canvas.height = 120;
      const context = canvas.getContext('2d'), parts = [];
      const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm;codecs=vp8' });
      recorder.ondataavailable = (event) => parts.push(event.data);
      const done = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.start();
      for (let frame = 0; frame < 12; frame++) {
        for (let i = 0; i < 300; i++) {
          context.fillStyle = `hsl(${(i * 37 + frame * 5) % 360} 60% 50%)`;
          context.fillRect((i * 53) % 160, (i * 29) % 120, 14, 14);
        }
        await new Promise((resolve) => setTimeout(resolve, 33));
      }
      recorder.stop();
      await done;
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    }"""
    tab = browser.new_tab(window=WINDOW)
    try:
        return base64.b64decode(tab.evaluate(script))
    finally:
        tab.close()
