"""training/placement.py: a cluster that cannot hold all workers is refused, one that just can is not."""

from typing import Any

import pytest

from pipeline.base.errors import ConfigError, UsageError
from tests.training_corpus import small_config
from training.placement import check_nodes, num_workers, start_settings, strategy, workers_range


def node(cpus: float, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    """Return a node as ray.nodes() lists it; Ray leaves out a resource of which there is none."""
    resources = {"memory": 1e9, "CPU": cpus, "GPU": gpus}
    return {"Alive": alive, "Resources": {name: amount for name, amount in resources.items() if amount}}


def check(nodes: list[dict[str, Any]], **changes: Any) -> None:
    check_nodes(nodes, small_config(**changes))


@pytest.mark.parametrize("placement", ["PACK", "SPREAD"])
def test_nodes_that_just_hold_all_workers_will_do(placement):
    check([node(2), node(1)], num_workers=3, placement=placement)
    check([node(5), node(3)], num_workers=3, threads_per_worker=2, placement=placement)
    check([node(8, 2), node(1, 1)], num_workers=3, use_gpu=True, placement=placement)


@pytest.mark.parametrize("placement", ["PACK", "SPREAD"])
@pytest.mark.parametrize(
    ("nodes", "changes", "words"),
    [
        ([node(1), node(1)], {"num_workers": 3}, "3 workers of 1 CPU each are wanted, the cluster has room for 2"),
        ([node(3), node(3)], {"num_workers": 1, "threads_per_worker": 4}, "room for 0 .nodes: 3 CPU and 0 GPU; 3 CPU"),
        ([node(3), node(3)], {"num_workers": 3, "threads_per_worker": 2}, "room for 2"),
        ([node(8, 1), node(8)], {"num_workers": 2, "use_gpu": True}, "1 CPU and 1 GPU each are wanted, .* room for 1"),
        ([node(8, 4), node(8)], {"num_workers": 4, "threads_per_worker": 4, "use_gpu": True}, "room for 2"),
        ([node(1), node(4, alive=False)], {"num_workers": 2}, "room for 1"),
        ([{"Alive": True}], {}, "room for 0"),
        ([], {}, "nodes: none"),
        ([node(1)] * 6, {"num_workers": 7}, "1 CPU and 0 GPU; 2 more"),
    ],
)
def test_nodes_that_do_not_hold_all_workers_are_refused(nodes, changes, words, placement):
    with pytest.raises(UsageError, match=words):
        check(nodes, placement=placement, **changes)


def test_strict_spread_needs_a_node_for_every_worker():
    settings: dict[str, Any] = {"num_workers": 2, "threads_per_worker": 2, "placement": "STRICT_SPREAD"}
    check([node(2), node(2)], **settings)
    for nodes in ([node(16)], [node(16), node(1)], [node(16), node(2, alive=False)]):
        with pytest.raises(UsageError, match=r"STRICT_SPREAD needs 2 nodes with 2 CPU .* the cluster has 1;"):
            check(nodes, **settings)


def test_num_nodes_decides_the_placement():
    def found(**changes: Any) -> str:
        return strategy(small_config(**changes))

    assert found(placement="SPREAD") == "SPREAD"
    assert found(num_workers=4, num_nodes=1) == "STRICT_PACK"
    assert found(num_workers=4, num_nodes=2) == "SPREAD"
    assert found(num_workers=4, num_nodes=4) == "STRICT_SPREAD"


def test_num_nodes_needs_so_many_nodes_with_room_for_their_share():
    check([node(2), node(2), node(1)], num_workers=4, num_nodes=2)
    with pytest.raises(UsageError, match=r"num_nodes 2 needs so many nodes with room for 2 workers of 1 CPU .* has 1"):
        check([node(9), node(1)], num_workers=4, num_nodes=2)
    with pytest.raises(UsageError, match="has 0"):
        check([node(2), node(2)], num_workers=4, num_nodes=1)


def test_a_range_of_workers_needs_room_for_the_fewest():
    settings: dict[str, Any] = {"num_workers": 4, "min_workers": 2}
    check([node(1), node(1)], **settings)
    with pytest.raises(UsageError, match=r"2 workers of 1 CPU .* has room for 1 .*; lower min"):
        check([node(1)], **settings)
    assert num_workers(small_config(num_workers=4, min_workers=2)) == (2, 4)
    assert num_workers(small_config(num_workers=4)) == 4
    assert start_settings(small_config()) == {} != start_settings(small_config(num_workers=4, min_workers=2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_workers": 3, "num_workers": 2}, "min_workers 3 must not be above num_workers 2"),
        ({"min_workers": 1, "num_workers": 2, "num_nodes": 2}, "leave num_nodes and STRICT_SPREAD out"),
        ({"min_workers": 1, "num_workers": 2, "placement": "STRICT_SPREAD"}, "leave num_nodes and STRICT_SPREAD out"),
    ],
)
def test_a_range_that_cannot_be_met_is_refused(changes: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        small_config(**changes)


def test_workers_are_a_number_or_a_range():
    assert workers_range(None) == {}
    assert workers_range("4") == {"num_workers": 4, "min_workers": 0}
    assert workers_range("2-4") == {"num_workers": 4, "min_workers": 2}
    for text in ("", "0", "-4", "2-", "2-4-6", "two", "1.5"):
        with pytest.raises(ConfigError, match="expected a number such as 4, or a range such as 2-4"):
            workers_range(text)
