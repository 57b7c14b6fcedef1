"""Finding a Ray cluster: what is not there is one clear error, soon."""

import os

import pytest

from pipeline.base.errors import UsageError
from pipeline.cluster import ENVIRONMENT, connect


@pytest.mark.parametrize(
    ("address", "message"), [("127.0.0.1:1", "nothing answers there"), ("bogus", "bogus: cannot be")]
)
def test_an_address_where_no_cluster_is_gives_one_error(address: str, message: str) -> None:
    with pytest.raises(UsageError, match=message), connect(address=address):
        pass


def test_the_environment_names_the_cluster_of_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1"), connect(num_cpus=1):
        pass


@pytest.mark.ray
def test_local_is_a_cluster_of_this_machine_on_loopback_whatever_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = pytest.importorskip("ray")
    seen = {}
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **settings: seen.update(settings))
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    for name in ENVIRONMENT:
        # What connect() sets, the test takes back.
        monkeypatch.setenv(name, os.environ.get(name, ENVIRONMENT[name]))
    with connect(address="local", num_cpus=3):
        assert seen["address"] == "local"
        assert (seen["_node_ip_address"], seen["num_cpus"]) == ("127.0.0.1", 3)
