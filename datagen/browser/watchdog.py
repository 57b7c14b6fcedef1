"""Ends a Chromium that a page keeps busy: most of Playwright's calls wait for the page without end."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from threading import Timer

from playwright.sync_api import Browser

_OURS = b"--remote-debugging-pipe"
"""Playwright starts Chromium with it. A process number of another namespace would be somebody else's here."""


class Watchdog:
    """Kills one Chromium unless it is told in time that there is progress. Idle until `start`."""

    def __init__(self, browser: Browser, limit_s: float) -> None:
        session = browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        self.limit_s = limit_s
        self.has_bitten = False
        self._process = next(int(row["id"]) for row in processes if row["type"] == "browser")
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to wait `limit_s` seconds, anew if it waits already."""
        self.stop()
        self._timer = Timer(self.limit_s, self._bite)
        self._timer.daemon = True
        self._timer.start()

    def progress(self) -> None:
        """Begin anew if it waits."""
        if self._timer is not None:
            self.start()

    def stop(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _bite(self) -> None:
        self.has_bitten = True
        with suppress(OSError):
            if _OURS in Path(f"/proc/{self._process}/cmdline").read_bytes():
                os.kill(self._process, signal.SIGKILL)
