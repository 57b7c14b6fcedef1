"""Whether a cluster's nodes can hold all workers at once, told before Ray would wait for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.base.errors import ConfigError, UsageError
from training.config import TrainConfig

_NODES_SHOWN = 4


def worker_resources(config: TrainConfig) -> dict[str, float]:
    """Return what one worker takes of its node, by Ray's names."""
    return {"CPU": config.threads_per_worker, **({"GPU": 1} if config.use_gpu else {})}


def strategy(config: TrainConfig) -> str:
    """Return how Ray is to place the workers: `placement`, unless `num_nodes` says more."""
    if not config.num_nodes:
        return config.placement
    if config.num_nodes == 1:
        return "STRICT_PACK"
    return "STRICT_SPREAD" if config.num_nodes == config.num_workers else "SPREAD"


def workers_range(text: str | None) -> dict[str, int]:
    """Return the keys that `4` or `2-4` stands for: as many workers, or from the fewest to the most; none for None.

    Raises: ConfigError.
    """
    if text is None:
        return {}
    fewest, dash, most = text.partition("-")
    numbers = [fewest, most] if dash else [fewest]
    if not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise ConfigError(f"--workers {text}: expected a number such as 4, or a range such as 2-4")
    return {"num_workers": int(numbers[-1]), "min_workers": int(fewest) if dash else 0}


def num_workers(config: TrainConfig) -> int | tuple[int, int]:
    """Return the workers wanted, as Ray takes them: a number, or the fewest and the most."""
    return (config.min_workers, config.num_workers) if config.min_workers else config.num_workers


def start_settings(config: TrainConfig) -> dict[str, str]:
    """Return the environment variables that an elastic run starts its workers with.

    When a node is lost, Ray still counts it for a moment, asks for as many workers as before and waits for them; it
    counts anew when that wait is over.
    """
    return {"RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "20"} if config.min_workers else {}


def check_nodes(nodes: Sequence[Mapping[str, Any]], config: TrainConfig) -> None:
    """Refuse a run whose workers the nodes cannot hold. `nodes` is what ray.nodes() returns.

    Raises: UsageError: says what is wanted and what there is.
    """
    alive = [node for node in nodes if node["Alive"]]
    fits = [_num_fitting(node.get("Resources", {}), config) for node in alive]
    worker = " and ".join(f"{amount:g} {name}" for name, amount in worker_resources(config).items())
    if config.num_nodes:
        each = config.num_workers // config.num_nodes
        num_fit = sum(fit >= each for fit in fits)
        if num_fit < config.num_nodes:
            raise UsageError(
                f"num_nodes {config.num_nodes} needs so many nodes with room for {each} workers of {worker} each, "
                f"the cluster has {num_fit} ({_describe(alive)}); lower num_nodes, num_workers or threads_per_worker"
            )
    elif config.placement == "STRICT_SPREAD":
        num_apart = sum(fit > 0 for fit in fits)
        if num_apart < config.num_workers:
            raise UsageError(
                f"placement STRICT_SPREAD needs {config.num_workers} nodes with {worker} for a worker each, "
                f"the cluster has {num_apart}; lower num_workers or threads_per_worker, or set placement to SPREAD"
            )
    elif sum(fits) < (config.min_workers or config.num_workers):
        which = "min_workers" if config.min_workers else "num_workers"
        raise UsageError(
            f"{getattr(config, which)} workers of {worker} each are wanted, the cluster has room for {sum(fits)} "
            f"({_describe(alive)}); lower {which} or threads_per_worker"
        )


def _num_fitting(resources: Mapping[str, float], config: TrainConfig) -> int:
    return min(int(resources.get(name, 0) // amount) for name, amount in worker_resources(config).items())


def _describe(nodes: Sequence[Mapping[str, Any]]) -> str:
    resources = [node.get("Resources", {}) for node in nodes[:_NODES_SHOWN]]
    shown = [f"{has.get('CPU', 0):g} CPU and {has.get('GPU', 0):g} GPU" for has in resources]
    if len(nodes) > _NODES_SHOWN:
        shown.append(f"{len(nodes) - _NODES_SHOWN} more")
    return "nodes: " + ("; ".join(shown) or "none")
