"""training/sweep.py: several lambdas in one command; the models themselves are trained here, without Ray."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.base.errors import ConfigError
from pipeline.base.progress import Tally
from pipeline.codecs.checkpoint import load
from tests.test_launch import train_alone
from tests.training_corpus import small_config, write_corpus
from training.sweep import SweepSummary, open_sweep, run_all


def test_finished_models_are_summed_up_in_order_and_others_known_from_the_folder(tmp_path: Path):
    corpus, out = write_corpus(tmp_path / "corpus"), tmp_path / "run"
    config = small_config(steps=2, lambdas=(0.0067, 0.025))
    with open_sweep(config, out, resume=False) as legs:
        assert [(leg.out.name, leg.resume, leg.config.lambda_rd) for leg in legs] == [
            ("lambda-0.0067", False, 0.0067),
            ("lambda-0.025", False, 0.025),
        ]
        for leg in legs:
            assert leg.config.lambdas == ()
            train_alone(leg.config, corpus, leg.out)
    with open_sweep(replace(config, lambdas=(0.025, 0.1)), out, resume=True) as legs:
        assert [leg.resume for leg in legs] == [True, False]
    progress = Tally()
    summary = run_all(config, corpus=corpus, out=str(out), resume=True, progress=progress)
    assert isinstance(summary, SweepSummary)
    assert summary.lambdas == (0.0067, 0.025)
    assert [Path(model.checkpoint).parent.name for model in summary.models] == ["lambda-0.0067", "lambda-0.025"]
    assert len({load(model.checkpoint).weights_sha256 for model in summary.models}) == 2
    assert (progress.num_done, progress.num_total) == (4, 4)


def test_one_model_is_not_gone_on_with_as_several_nor_under_another_config(tmp_path: Path):
    corpus, config = write_corpus(tmp_path / "corpus"), small_config(steps=2)
    train_alone(config, corpus, tmp_path / "one")
    with (
        pytest.raises(ConfigError, match="started for one lambda"),
        open_sweep(replace(config, lambdas=(0.1,)), tmp_path / "one", resume=True),
    ):
        pass
    several = replace(config, lambdas=(0.1, 0.2))
    with open_sweep(several, tmp_path / "several", resume=False):
        pass
    with pytest.raises(ConfigError, match="started for several lambdas"):
        run_all(config, corpus=corpus, out=str(tmp_path / "several"), resume=True, progress=Tally())
    with (
        pytest.raises(ConfigError, match=r"gamma = 0\.1, now it is 0\.5"),
        open_sweep(replace(several, gamma=0.5), tmp_path / "several", resume=True),
    ):
        pass


@pytest.mark.parametrize("lambdas", [(0.1, 0.1), (0.1, 0.0)])
def test_lambdas_are_positive_and_differ(lambdas):
    with pytest.raises(ValueError, match="lambdas must be positive and differ"):
        small_config(lambdas=lambdas)
