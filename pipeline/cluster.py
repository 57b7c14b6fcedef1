"""Starting and finding Ray, with the settings that a loopback cluster needs; used by training and serving.

Ray is imported inside the functions: the environment has to be set first. Each setting below was found necessary by
running it (docs/scale.md lists what happens without it).
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.base.errors import MissingDependency

LOOPBACK = "127.0.0.1"

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it Ray rewrites 127.0.0.1 to the network card's address while its control store listens on 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # A loopback-only, single-user cluster: no token file in the home folder.
    "RAY_AUTH_MODE": "disabled",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    # Narrows the window in which a reported checkpoint is on disk but unknown to the controller.
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
def connect(*, address: str | None = None, num_cpus: int | None = None) -> Iterator[None]:
    """Use the Ray cluster that this process is connected to, else the one at `address`, else a new local one.

    A local one listens on 127.0.0.1 and is shut down at the end; one that was there before is left running.
    Raises: MissingDependency: Ray is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependency("ray is not installed; pip install 'diptych[train,serve]'") from error
    if ray.is_initialized():
        yield
        return
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        ray.init(
            num_cpus=num_cpus or os.cpu_count(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address=LOOPBACK,
        )
    try:
        yield
    finally:
        ray.shutdown()
