"""Samples drawn again from the plans that drew them: the same bytes, or a finding that says why not."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from datagen import plan as plans
from datagen.dataset import split
from datagen.dataset.check import CheckConfig, CheckSummary, check
from datagen.dataset.regenerate import chosen
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.encoded import EncodedSample, encode
from tests.dataset_corpus import build_small, decoded, first_of_train, forge

QUICK = CheckConfig(decode=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


def run(folder: Path, config: CheckConfig | None = None) -> CheckSummary:
    return check(Store(folder), config or CheckConfig(), progress=Tally())


def told(summary: CheckSummary) -> str:
    return "\n".join(f"{found.kind} {found.where} {found.message}" for found in summary.findings)


def test_samples_drawn_again_are_the_same(corpus: Path) -> None:
    summary = run(corpus, CheckConfig(decode=False, regenerate=1.0))
    assert summary.findings == () and summary.num_drawn_again == 7


def test_samples_of_a_corpus_dealt_anew_are_checked_and_drawn_again_by_the_plan_that_drew_them(
    corpus: Path, tmp_path: Path
) -> None:
    config = split.SplitConfig(train=0.5, val=0.0, test=0.5, tolerance=1.0, near_bits=0, samples_per_shard=3)
    split.run(str(corpus), config, str(tmp_path / "dealt"), progress=Tally())
    summary = run(tmp_path / "dealt", CheckConfig(regenerate=1.0, near_bits=0))
    assert summary.findings == () and summary.num_drawn_again == 7, told(summary)
    (origin,) = (tmp_path / "dealt" / "origins").glob("*/plan.json")
    origin.write_bytes(origin.read_bytes().replace(b'"seed": 5', b'"seed": 6'))
    assert "file_digest" in run(tmp_path / "dealt", QUICK).counts


def test_a_sample_that_was_not_drawn_by_the_plan_is_found(corpus: Path, tmp_path: Path) -> None:
    def other(item: EncodedSample) -> EncodedSample:
        sample = decoded(item)
        return encode(replace(sample, picture=255 - sample.picture), compress_level=1)

    copy = forge(corpus, tmp_path / "copy", first_of_train(other))
    assert run(copy).findings == ()
    summary = run(copy, CheckConfig(regenerate=1.0))
    assert summary.counts == {"not_the_same": 1} and "train-000000 .png differ when drawn again" in told(summary)


def test_other_versions_are_said_first_and_are_no_damage(corpus: Path, tmp_path: Path) -> None:
    plan, _ = plans.read(Store(corpus))
    older = replace(plan, versions=plan.versions | {"numpy": "0.1"})
    digest = plans.write(Store(tmp_path), older)
    copy = forge(corpus, tmp_path / "copy", lambda _, items: items, plan_sha256=digest)
    plans.write(Store(copy), older)
    summary = run(copy, CheckConfig(decode=False, regenerate=1.0))
    assert "numpy 0.1, here" in summary.notes[0] and "7 samples differ" in summary.notes[1]
    assert "not_the_same" not in summary.counts


def test_a_photograph_that_is_gone_hinders_drawing_and_says_so(tmp_path: Path) -> None:
    folder = build_small(tmp_path)
    shutil.rmtree(tmp_path / "photos")
    summary = run(folder, CheckConfig(regenerate=1.0))
    assert set(summary.counts) == {"cannot_draw"} and "photo" in summary.findings[0].message


def test_the_share_drawn_again_is_a_share_and_the_same_every_time() -> None:
    keys = [f"train-{number:06d}" for number in range(4000)]
    some = [key for key in keys if chosen(key, 0.1)]
    assert 300 < len(some) < 500 and set(some) < {key for key in keys if chosen(key, 0.2)}
    assert not any(chosen(key, 0.0) for key in keys) and all(chosen(key, 1.0) for key in keys)


def test_with_a_damaged_plan_the_rest_is_checked_and_nothing_is_drawn(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    plan = (copy / "plan.json").read_bytes()
    for damaged in (plan[:-9], b"[]", b"{}", b"\x00", plan.replace(b"diptych-corpus-plan", b"diptych-corpus-plum")):
        (copy / "plan.json").write_bytes(damaged)
        summary = run(copy, CheckConfig(regenerate=1.0))
        assert summary.num_samples and not summary.num_drawn_again
        assert {"cannot_draw", "plan"} <= set(summary.counts), told(summary)
