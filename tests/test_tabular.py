"""Tables of figures: as wide as asked for, of one kind a column."""

import numpy as np

from datagen.tabular import STATUSES, Column, write_table
from datagen.texts import TextBank, words_of


def table(seed: int, *, photos: bool = False) -> list[Column]:
    rng = np.random.default_rng(seed)
    return write_table(TextBank(words_of("val"), rng), rng, num_rows=30, width=900, photos=photos)


def test_columns_reach_the_width_with_none_to_spare() -> None:
    for seed in range(10):
        columns = table(seed)
        assert sum(column.width for column in columns) >= 900
        assert sum(column.width for column in columns[:-1]) < 900
        assert columns[0].kind in ("name", "label")
        assert all(len(column.cells) == len(column.shares) == 30 for column in columns)


def test_numbers_are_numbers_and_statuses_are_known() -> None:
    for column in [column for seed in range(10) for column in table(seed)]:
        filled = [cell for cell in column.cells if cell]
        if column.is_number:
            assert all(float(cell.strip("-$€%").replace(",", "")) >= 0 for cell in filled)
        if column.kind == "status":
            assert set(filled) <= set(STATUSES)


def test_one_column_of_photographs_on_demand() -> None:
    assert [column.kind for column in table(3, photos=True)].count("photo") == 1
    assert all(column.kind != "photo" for column in table(3))
