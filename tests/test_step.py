"""training/step.py: parts of a batch make the same step, entropy models keep their precision, compiled or not."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.base.errors import UsageError
from pipeline.codecs.interface import CodecOutput
from tests.test_loop import CPU, make_data, train, weights
from tests.training_corpus import small_config, write_corpus
from training import step
from training.config import TrainConfig
from training.data import Batch
from training.loop import Alone, fit
from training.objectives import counts, objective, part_of
from training.state import fresh_state
from training.step import Stepper, split

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def gradients(config: TrainConfig, corpus: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Return the first step's gradients, before they are clipped; without noise, which parts draw in another order."""
    state = fresh_state(config, CPU)
    batch = next(make_data(corpus, config).batches)
    # The seam of each crop is unlabelled, and of the first one all but that: parts differ in what counts.
    batch.labels[0, :20] = 255
    seen: dict[str, Tensor] = {}
    for name, parameter in state.codec.named_parameters():
        parameter.register_post_accumulate_grad_hook(
            lambda tensor, name=name: seen.__setitem__(name, tensor.grad.clone())  # type: ignore[misc]
        )
    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "uniform_", lambda tensor, *_: tensor.zero_())
        Stepper(state.codec, config).take(state, batch, Alone())
    return seen


@pytest.mark.parametrize("accumulate", [2, 3])
def test_parts_add_up_to_the_whole_batch(corpus: str, monkeypatch: pytest.MonkeyPatch, accumulate: int):
    whole = gradients(small_config(batch_size=8, gamma=0.7), corpus, monkeypatch)
    parts = gradients(small_config(batch_size=8, gamma=0.7, accumulate=accumulate), corpus, monkeypatch)
    assert set(whole) == set(parts)
    for name, gradient in whole.items():
        scale = float(gradient.abs().max())
        assert torch.allclose(parts[name], gradient, rtol=1e-4, atol=1e-5 * scale), name


def test_shares_of_a_batch_add_up_to_its_objective():
    generator = torch.Generator().manual_seed(1)
    pictures, labels = torch.rand(3, 3, 8, 8, generator=generator), torch.zeros(3, 8, 8, dtype=torch.uint8)
    labels[0], labels[1, :4], labels[2, 2:] = 255, 1, 255
    classes = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    output = CodecOutput(
        reconstruction=torch.rand(pictures.shape, generator=generator),
        likelihoods={"y": torch.rand(3, 2, 1, 1, generator=generator)},
        label_logits=torch.randn(3, 1, 8, 8, generator=generator),
        class_logits=torch.randn(3, 2, generator=generator),
    )
    parameters = {"lambda_rd": 0.02, "gamma": 0.3}
    expected = objective(output, pictures, labels, classes, **parameters).loss
    total = torch.zeros(())
    whole = counts(labels, classes)
    assert (whole.pixels, whole.labelled, whole.classified) == (192, 80, 2)
    for one in (slice(0, 1), slice(1, 3)):
        assert output.label_logits is not None
        assert output.class_logits is not None
        part = CodecOutput(
            reconstruction=output.reconstruction[one],
            likelihoods={"y": output.likelihoods["y"][one]},
            label_logits=output.label_logits[one],
            class_logits=output.class_logits[one],
        )
        terms = objective(part, pictures[one], labels[one], classes[one], **parameters)
        total += part_of(terms, counts(labels[one], classes[one]), whole, gamma=parameters["gamma"])
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_batch_is_split_as_equally_as_can_be():
    batch = Batch(pictures=torch.zeros(5, 3, 2, 2), labels=torch.zeros(5, 2, 2))
    assert [len(part.pictures) for part in split(batch, 2)] == [3, 2]
    assert [len(part.labels) for part in split(batch, 9)] == [1] * 5
    assert split(batch, 2)[0].regions is None
    with pytest.raises(ValueError, match="accumulate 5 is more than the crops"):
        small_config(batch_size=4, accumulate=5)


@pytest.mark.parametrize(
    "codec_set", [(), ("base='charm'", "num_slices=2", "num_support_slices=1", "slice_widths=[8,8]")]
)
def test_entropy_models_keep_to_float32_in_mixed_precision(corpus: str, monkeypatch, codec_set: tuple[str, ...]):
    config = small_config(
        steps=2,
        precision="bfloat16",
        validate_every=0,
        codec_set=("num_channels=8", "num_latents=8", *codec_set),
    )
    state = fresh_state(config, CPU)
    inside: list[torch.dtype] = []
    logits = state.codec.z_prior._logits

    def spy(values, **options):
        result = logits(values, **options)
        inside.extend([values.dtype, result.dtype])
        return result

    monkeypatch.setattr(state.codec.z_prior, "_logits", spy)
    convolved: list[torch.dtype] = []
    state.codec.analysis[0].register_forward_hook(lambda *hooked: convolved.append(hooked[-1].dtype))
    outputs: list[CodecOutput] = []
    monkeypatch.setattr(step, "measure", lambda output, *_, **__: outputs.append(output) or step.no_sums())
    list(fit(state, config, make_data(corpus, config), Alone()))
    assert {tensor.dtype for output in outputs for tensor in output.likelihoods.values()} == {torch.float32}
    assert set(inside) == {torch.float32}
    assert {parameter.dtype for parameter in state.codec.parameters()} == {torch.float32}
    assert set(convolved) == {torch.bfloat16}


@pytest.mark.slow
def test_a_compiled_run_learns_what_another_does(corpus: str):
    config = small_config(steps=4, validate_every=0)
    plain, compiled = fresh_state(config, CPU), fresh_state(config, CPU)
    expected = train(corpus, config, plain)
    found = train(corpus, small_config(steps=4, validate_every=0, compile=True), compiled)
    assert found[0].figures.loss == pytest.approx(expected[0].figures.loss, rel=0.05)
    assert all(bool(tensor.isfinite().all()) for tensor in weights(compiled).values())


def test_a_codec_that_cannot_be_compiled_is_refused(corpus: str, monkeypatch: pytest.MonkeyPatch):
    config = small_config(steps=1, compile=True, validate_every=0)
    state = fresh_state(config, CPU)

    def broken(*given):
        raise torch._dynamo.exc.Unsupported("Graph break: calls print")

    monkeypatch.setattr(torch, "compile", lambda _, **_options: broken)
    with pytest.raises(UsageError, match="compile = true: codec mtl_sci cannot be compiled: Graph break"):
        list(fit(state, config, make_data(corpus, config), Alone()))


def test_a_run_that_is_asked_to_stop_wants_a_checkpoint_and_ends(corpus: str):
    config = small_config(steps=9, checkpoint_every=5, report_every=5, validate_every=5)
    state = fresh_state(config, CPU)
    asked = iter([False, False, True])
    reports = list(fit(state, config, make_data(corpus, config), Alone(), should_stop=lambda: next(asked)))
    assert [(report.split, report.step, report.checkpoint_due) for report in reports] == [("train", 3, True)]
