"""Starting and finding Ray, with the settings that a loopback cluster needs; used by training and serving.

Ray is imported inside the functions: the environment has to be set first. Each setting below was found necessary by
running it (docs/scale.md lists what happens without it).
"""

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipeline.base.errors import MissingDependency, UsageError

LOOPBACK = "127.0.0.1"
LOCAL = "local"
"""The address that asks for a cluster of this machine's own."""
_PROBE_S = 5.0

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it Ray rewrites 127.0.0.1 to the network card's address while its control store listens on 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # A loopback-only, single-user cluster: no token file in the home folder.
    "RAY_AUTH_MODE": "disabled",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    # How soon a dead worker is noticed, and a reported checkpoint known; the default is 2 s.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "180",
    "RAY_SERVE_ENABLE_HA_PROXY": "0",
    # Ray prints its daemons' messages, such as one about Serve's own end, on stdout, where our results are. What went
    # wrong for us comes as an exception; the messages themselves are in Ray's session folder.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "GLOO_SOCKET_IFNAME": "lo",
    "OMP_NUM_THREADS": "1",
}


@contextmanager
def connect(
    *, address: str | None = None, num_cpus: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Use the Ray cluster that this process is connected to, else the one at `address`, else a new local one.

    A local one listens on 127.0.0.1 and is shut down at the end; one that was there before is left running.
    Without `address`, $RAY_ADDRESS names the cluster if it is set, as on a node of a running one; `local` ignores it.
    `settings` are environment variables in place of ENVIRONMENT's, unless they are set already.
    Raises: MissingDependency: Ray is not installed; UsageError: no cluster answers at the address, or none starts.
    """
    for name, value in {**ENVIRONMENT, **(settings or {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependency("ray is not installed; pip install 'diptych[train,serve]'") from error
    if ray.is_initialized():
        yield
        return
    address = None if address == LOCAL else address or os.environ.get("RAY_ADDRESS")
    # "local": without it Ray joins whatever cluster last ran on this machine, of whoever it was.
    local = {
        "address": "local",
        "num_cpus": num_cpus or os.cpu_count(),
        "include_dashboard": False,
        "_node_ip_address": LOOPBACK,
    }
    where = {"address": address} if address else local
    if address:
        _probe(address)
    try:
        ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"Ray cluster {address or 'on this machine'}: cannot be reached or started: {first_line}"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Raise UsageError unless something listens at host:port; Ray would try for a minute, then end the process."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or not host or "://" in address:
        # `auto`, `local` and ray:// addresses are Ray's to resolve.
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PROBE_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"Ray cluster {address}: nothing answers there ({error})") from error
