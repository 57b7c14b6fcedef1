"""A sample's members and metadata."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.base.errors import ShardError
from pipeline.formats.sample import (
    IGNORE,
    NATURAL,
    Sample,
    SampleInfo,
    Source,
    check_key,
    count_regions,
    decode_info,
    decode_sample,
    encode_info,
    encode_sample,
    label_fractions,
    source_of,
    source_row,
)


def make_sample(key: str = "train-000000", *, height: int = 6, width: int = 8, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind="chat",
        how_labelled="compositor",
        how_masked="layout",
        sources=(Source(kind="photo", name="a.jpg", sha256="00" * 32, licence="CC0", origin="folder"),),
        seed=seed,
        versions={"diptych": "0"},
    )
    label = rng.integers(0, 2, (height, width), dtype=np.uint8)
    label[0, 0] = IGNORE
    return Sample(
        info=info,
        picture=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        label=label,
        regions=rng.integers(0, 65536, (height, width), dtype=np.uint16),
    )


def test_a_sample_survives_its_members_and_the_bytes_repeat() -> None:
    sample = make_sample()
    members = encode_sample(sample)
    assert members == encode_sample(make_sample())
    back = decode_sample(members, where="x")
    assert back.info == sample.info
    assert np.array_equal(back.picture, sample.picture)
    assert np.array_equal(back.label, sample.label)
    assert back.regions.dtype == np.uint16
    assert np.array_equal(back.regions, sample.regions)


def test_keys_that_would_merge_samples_are_refused() -> None:
    for key in ("screen.v1", "a/b", "a b", ""):
        with pytest.raises(ValueError, match="would merge"):
            check_key(key)


def test_sizes_and_label_values_are_checked() -> None:
    sample = make_sample()
    with pytest.raises(ValueError, match="must all be 8x6"):
        replace(sample, label=sample.label[:, :-1])
    with pytest.raises(ValueError, match="0, 1 or 255"):
        replace(sample, label=sample.label + np.uint8(1))


def test_label_fractions_add_up() -> None:
    shares = label_fractions(np.array([[NATURAL, 0, 0, IGNORE]], np.uint8))
    assert shares == {"synthetic_fraction": 0.5, "natural_fraction": 0.25, "ignore_fraction": 0.25}


def test_regions_are_counted_wherever_they_lie() -> None:
    rng = np.random.default_rng(0)
    for size in ((1, 1), (1, 7), (40, 30)):
        for highest in (1, 2, 5, 65536):
            regions = rng.integers(0, highest, size).astype(np.uint16)
            assert count_regions(regions) == len(set(regions.reshape(-1).tolist()) - {0})


def test_damaged_members_are_shard_errors_that_name_the_sample() -> None:
    members = encode_sample(make_sample())
    without = {ending: data for ending, data in members.items() if ending != "label.png"}
    for damaged, message in [
        (without, r"member \.label\.png is missing"),
        (members | {"png": members["png"][:50]}, "s-1: "),
        (members | {"json": b"{}"}, "metadata"),
        (members | {"label.png": members["png"]}, "must all be"),
    ]:
        with pytest.raises(ShardError, match=message):
            decode_sample(damaged, where="s-1")


def test_classes_come_back_and_their_lack_leaves_the_bytes_as_they_were():
    sample = make_sample()
    plain = encode_sample(sample)["json"]
    assert b"classes" not in plain
    assert decode_info(plain, where="x").classes == ()
    named = replace(sample.info, classes=("dog", "sofa"))
    assert decode_info(encode_info(named), where="x") == named
    assert encode_info(replace(named, classes=())) == plain


def test_a_source_s_classes_come_back_and_their_lack_leaves_its_bytes_as_they_were():
    plain = make_sample().info
    source = plain.sources[0]
    assert source_row(source) == {
        name: getattr(source, name) for name in ("kind", "name", "sha256", "licence", "origin")
    }
    named = replace(plain, sources=(replace(source, classes=("dog", "sofa")), source))
    data = encode_info(named)
    assert decode_info(data, where="x") == named and data.count(b'"classes": ["dog", "sofa"]') == 1
    assert source_of(source_row(source) | {"classes": None}) == source, "as tables say it"
    for classes in (b'"dog"', b"[1]", b'["dog", "dog"]', b'["a\\n"]'):
        with pytest.raises(ShardError, match="here: metadata"):
            decode_info(data.replace(b'["dog", "sofa"]', classes), where="here")


@pytest.mark.parametrize("classes", ['"dog"', "3", "[1]", '["dog", "dog"]', '[""]', '["a\\n"]', "{}"])
def test_classes_that_are_no_list_of_names_are_refused(classes: str):
    data = encode_info(make_sample().info)
    spoiled = data[:-1] + b', "classes": ' + classes.encode() + b"}"
    with pytest.raises(ShardError, match="here: metadata"):
        decode_info(spoiled, where="here")
