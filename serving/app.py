"""The Ray engine: Serve replicas that each load the codec once and code chunks of pictures.

A request carries a chunk, since Serve costs 1 to 3 ms a request whatever its size. There is no HTTP proxy: the job
calls the replicas through a handle, with a bounded number of requests in flight. This is the only module that imports
ray.serve.
"""

import logging
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline import cluster
from pipeline.base.errors import DiptychError, UsageError
from serving import engine
from serving.engine import Coded, EngineConfig, Task

APP = "diptych-archive"
_REQUESTS_A_REPLICA = 2
"""How many requests are in flight for each replica: one in hand, one waiting."""
_MAX_TRIES = 3
"""How often a chunk is handed out again after its replica died."""
_FREE_S = 30.0
_POLL_S = 0.5


class Coder:
    """A replica."""

    def __init__(self, config: EngineConfig) -> None:
        listen_on_node_address_only()
        self._engine = engine.open_engine(config)

    def __call__(self, chunk: Sequence[Task]) -> list[Coded]:
        return engine.code_chunk(self._engine, chunk)


def listen_on_node_address_only() -> None:
    """Keep this replica's gRPC server off all other interfaces.

    Ray 2.60 binds it to `[::]` however the cluster was started, and offers no setting; the server is started after the
    replica's constructor has run, so the address is changed there. Our requests do not use it at all.
    """
    import ray
    from ray.serve._private import replica

    bind = getattr(replica, "add_port_to_grpc_server", None)
    if bind is None or getattr(bind, "is_narrowed", False):
        return
    host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]

    def narrowed(server: Any, address: str) -> int:
        port = address.rpartition(":")[2]
        return int(bind(server, f"{host}:{port}"))

    narrowed.is_narrowed = True  # type: ignore[attr-defined]
    replica.add_port_to_grpc_server = narrowed  # type: ignore[attr-defined]


def map_chunks(
    config: EngineConfig, chunks: Iterable[Sequence[Task]], *, replicas: int, address: str | None
) -> Generator[list[Coded], None, None]:
    """Yield each chunk's results, in order, coded by so many replicas on the Ray cluster at hand or at `address`.

    Raises: UsageError: the cluster has too few CPUs; MissingDependency; what the engine raises.
    """
    with cluster.connect(address=address), _replicas(config, replicas) as handle:
        pending: deque[tuple[Sequence[Task], Any]] = deque()
        for chunk in chunks:
            pending.append((chunk, handle.remote(chunk)))
            if len(pending) >= replicas * _REQUESTS_A_REPLICA:
                yield _result(handle, *pending.popleft())
        while pending:
            yield _result(handle, *pending.popleft())


@contextmanager
def _replicas(config: EngineConfig, replicas: int) -> Iterator[Any]:
    """Start the replicas and give a handle; they are gone at the end, and Serve with them if it was started here."""
    from ray import serve

    _await_cpus(replicas)
    # Serve tells the terminal about every step it takes; our progress bar says what matters.
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    started_here = not _is_serve_running()
    if started_here:
        serve.start(proxy_location="Disabled", logging_config=_quiet())
    deployment: Any = serve.deployment(
        Coder,
        name="coder",
        num_replicas=replicas,
        max_ongoing_requests=_REQUESTS_A_REPLICA,
        ray_actor_options={"num_cpus": 1},
        logging_config=_quiet(),
    )
    try:
        handle = serve.run(deployment.bind(config), name=APP, route_prefix=None, logging_config=_quiet())
        yield handle
    finally:
        if started_here:
            serve.shutdown()  # type: ignore[no-untyped-call]
        else:
            serve.delete(APP)


def _await_cpus(replicas: int) -> None:
    """Wait until so many CPUs are free; Serve would wait for ever. Raises: UsageError: there are or stay too few."""
    import ray

    total = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
    if total < replicas:
        raise UsageError(f"workers = {replicas}, but the Ray cluster has {total} CPUs")
    deadline = time.monotonic() + _FREE_S
    # The workers of a stage before this one are gone a moment after it.
    while (free := int(ray.available_resources().get("CPU", 0))) < replicas:  # type: ignore[no-untyped-call]
        if time.monotonic() > deadline:
            raise UsageError(f"workers = {replicas}, but only {free} of the Ray cluster's {total} CPUs are free")
        time.sleep(_POLL_S)


def _result(handle: Any, chunk: Sequence[Task], response: Any) -> list[Coded]:
    from ray.exceptions import RayActorError, RayTaskError

    for left in reversed(range(_MAX_TRIES)):
        try:
            coded: list[Coded] = response.result()
            return coded
        except RayTaskError as error:
            if isinstance(error.cause, DiptychError):
                raise error.cause from error
            raise
        except RayActorError as error:
            # The replica died; Serve starts another, and coding a chunk twice gives the same bytes.
            if not left:
                names = ", ".join(task.name for task in chunk)
                raise UsageError(f"replicas died {_MAX_TRIES} times over these pictures: {names}") from error
            response = handle.remote(chunk)
    raise AssertionError("unreachable")


def _is_serve_running() -> bool:
    import ray
    from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE

    try:
        ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
    except ValueError:
        return False
    return True


def _quiet() -> Any:
    from ray.serve.schema import LoggingConfig

    return LoggingConfig(log_level="ERROR", enable_access_log=False)
