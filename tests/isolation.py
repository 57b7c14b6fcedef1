"""A child process whose network is a loopback device alone, and whose own children all end with it."""

import os
import shutil
import subprocess
from collections.abc import Mapping

import pytest

UNSHARE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")


def run_isolated(
    *command: str, env: Mapping[str, str] | None = None, timeout_s: float = 800
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; skip the test where namespaces are not permitted, fail it there in CI."""
    if not _is_permitted():
        message = "unshare(1) with ip(8) is not permitted here, so Ray would listen on all addresses"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # bash stays in front, since process 1 has to take in orphans.
    inner = 'ip link set lo up && "$@"; exit $?'
    return subprocess.run(
        [*UNSHARE, "bash", "-c", inner, "bash", *command],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def _is_permitted() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*UNSHARE, "ip", "link"], capture_output=True, check=False).returncode == 0
