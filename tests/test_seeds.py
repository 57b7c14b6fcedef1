"""Seeds come from names."""

from pipeline.base.seeds import derive_seed, generator


def test_seeds_are_pinned_so_that_a_corpus_can_be_made_again() -> None:
    assert derive_seed(0, "layout", 17) == 7588219254570194009
    assert generator(0, "layout", 17).integers(1 << 30) == 266838123


def test_each_part_of_the_name_matters() -> None:
    seeds = {
        derive_seed(0, "a", "b"),
        derive_seed(0, "a/b"),
        derive_seed(0, "ab"),
        derive_seed(1, "a", "b"),
        derive_seed(0, "b", "a"),
        derive_seed(0, "a\\", "b"),
    }
    assert len(seeds) == 6
    assert all(0 <= seed < 1 << 63 for seed in seeds)
