"""A display for machines that have none: Xvfb, with a real application showing a page of text and photographs."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mss
import numpy as np

from datagen.demo_page import write_page, write_text
from pipeline.base.errors import UsageError

_START_S = 20.0
"""How long the display, and then the application, may take to come up."""
_POLL_S = 0.25
_BROWSER_VALUES, _TERMINAL_VALUES = 64, 2
"""A page with photographs has nearly all brightnesses from 0 to 255, an empty window one, a terminal's text two."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_BROWSER_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--password-store=basic",
    "--allow-file-access-from-files",
)


@contextmanager
def showing(display: str | None, *, width: int = 1280, height: int = 720) -> Iterator[str]:
    """Give the name of a display that shows something: `display` itself, or a virtual one with a page on it.

    Raises: UsageError: Xvfb, or an application to show, is not installed or does not start.
    """
    if display:
        yield display
        return
    with virtual_display(width=width, height=height) as name, application(name, width=width, height=height):
        yield name


@contextmanager
def virtual_display(*, width: int, height: int) -> Iterator[str]:
    """Run Xvfb on a free display number, closed to the network, and give its name, such as ":7".

    Raises: UsageError: Xvfb is not installed or does not start.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise UsageError("no X display, and Xvfb is not installed (Debian: apt install xvfb)")
    reading, writing = os.pipe()
    # -noreset: without it the server drops everything when its last client leaves, and refuses the next meanwhile.
    options = ["-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    try:
        with running([program, *options], environment={}, pass_fds=(writing,)) as process:
            os.close(writing)
            writing = -1
            yield f":{_read_number(reading, process)}"
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


@contextmanager
def application(display: str, *, width: int, height: int) -> Iterator[str]:
    """Show a page on `display` in Chromium, else text in xterm, and give the program's name once it is visible.

    Raises: UsageError: neither is installed, or nothing appears.
    """
    browser = find_browser()
    terminal = shutil.which("xterm")
    if browser is None and terminal is None:
        raise UsageError("nothing to show on the virtual display: install chromium or xterm")
    with tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True) as text:
        folder = Path(text)
        if browser is not None:
            command = [
                *browser_command(browser, profile=folder / "profile"),
                "--kiosk",
                "--window-position=0,0",
                f"--window-size={width},{height}",
            ]
            command.append(write_page(folder).as_uri())
        else:
            assert terminal is not None
            command = [terminal, "-geometry", "200x60+0+0", "-e", "sh", "-c", f"cat '{write_text(folder)}'; sleep 3600"]
        with running(command, environment={"DISPLAY": display, "HOME": str(folder)}) as process:
            _wait_until_visible(display, process, num_values=_BROWSER_VALUES if browser else _TERMINAL_VALUES)
            yield Path(command[0]).name


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def browser_command(browser: str, *, profile: Path) -> list[str]:
    """Return the command that starts a Chromium which keeps to itself; addresses to open come after it."""
    # Chromium's sandbox refuses to start as root; the pages are our own files.
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [browser, *_BROWSER_FLAGS, f"--user-data-dir={profile}", *alone]


def _wait_until_visible(display: str, process: subprocess.Popen[bytes], *, num_values: int) -> None:
    """Wait until the display holds `num_values` brightnesses or more and has stood still for one poll."""
    deadline = time.monotonic() + _START_S
    before = b""
    with mss.MSS(display=display) as grabber:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise UsageError(f"{process.args!r:.60} ended at once with code {process.returncode}")
            shot = grabber.grab(grabber.monitors[0])
            values = np.unique(np.frombuffer(shot.rgb, dtype=np.uint8))
            if before == shot.raw and len(values) >= num_values:
                return
            before = bytes(shot.raw)
            time.sleep(_POLL_S)
    raise UsageError(f"nothing appeared on display {display} within {_START_S:.0f} s")


@contextmanager
def running(
    command: Sequence[str], *, environment: dict[str, str], pass_fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own, and end the whole group with the block.

    Raises: UsageError: it does not start.
    """
    try:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(f"{command[0]}: does not start ({error.strerror or error})") from error
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _read_number(reading: int, process: subprocess.Popen[bytes]) -> int:
    """Return the display number that Xvfb writes when it is ready."""
    ready, _, _ = select.select([reading], [], [], _START_S)
    text = os.read(reading, 32).strip() if ready else b""
    if not text.isdigit():
        raise UsageError(f"Xvfb did not start (exit code {process.poll()})")
    return int(text)
