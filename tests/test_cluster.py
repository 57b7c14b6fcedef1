"""Finding a Ray cluster: what is not there is one clear error, soon."""

import pytest

from pipeline.base.errors import UsageError
from pipeline.cluster import connect


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
