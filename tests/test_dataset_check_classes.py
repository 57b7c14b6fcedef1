"""Class names stand in a sample's metadata and in the side-car; `check` finds where the two differ."""

from dataclasses import replace
from pathlib import Path

import pytest

from datagen.dataset.check import CheckConfig, CheckSummary, check
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.encoded import EncodedSample, encode
from tests.dataset_corpus import build_small, decoded, first_of_train, forge

QUICK = CheckConfig(decode=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


def run(corpus: Path, config: CheckConfig | None = None) -> CheckSummary:
    return check(Store(corpus), config or CheckConfig(), progress=Tally())


@pytest.mark.parametrize("said", [None, [], ["dog"], ["sofa", "dog"], ["dog", "sofa", "cat"]])
def test_classes_that_the_side_car_tells_otherwise_are_found(
    corpus: Path, tmp_path: Path, said: list[str] | None
) -> None:
    def named(item: EncodedSample) -> EncodedSample:
        sample = decoded(item)
        return encode(replace(sample, info=replace(sample.info, classes=("dog", "sofa"))), compress_level=1)

    def damaged(item: EncodedSample) -> EncodedSample:
        return replace(item, row=item.row | {"classes": said})

    whole = forge(corpus, tmp_path / "whole", first_of_train(named))
    assert run(whole).findings == ()
    wrong = forge(whole, tmp_path / "wrong", first_of_train(damaged))
    for config in (QUICK, CheckConfig()):
        (finding,) = run(wrong, config).findings
        assert (finding.kind, finding.where) == ("classes", "small-train-000000.tar: train-000000")
        assert '["dog", "sofa"]' in finding.message
    # The other way round: a class that the metadata does not know.
    added = forge(
        corpus, tmp_path / "added", first_of_train(lambda item: replace(item, row=item.row | {"classes": ["dog"]}))
    )
    assert [finding.kind for finding in run(added, QUICK).findings] == ["classes"]
