"""Tables of plausible figures: columns of one kind each, as spreadsheets and documents hold them."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from datagen.texts import MONTHS, TextBank

Kind = Literal["name", "label", "count", "money", "percent", "date", "status", "check", "bar", "photo"]

STATUSES = ("Open", "Done", "In progress", "Blocked", "Review", "Paid", "Late")
_KINDS: tuple[Kind, ...] = ("label", "count", "count", "money", "money", "percent", "date", "status", "check", "bar")
_TITLES: dict[Kind, tuple[str, ...]] = {
    "name": ("Name", "Customer", "Owner", "Contact", "Employee"),
    "label": ("Product", "Project", "Item", "Category", "Region", "Notes"),
    "count": ("Units", "Qty", "Visits", "Orders", "Stock", "Hours"),
    "money": ("Revenue", "Price", "Cost", "Total", "Budget", "Profit"),
    "percent": ("Margin", "Growth", "Share", "Rate", "Discount"),
    "date": ("Date", "Due", "Start", "Shipped", "Updated"),
    "status": ("Status", "Stage", "State"),
    "check": ("Done", "OK", "Paid"),
    "bar": ("Progress", "Load", "Score"),
    "photo": ("Photo", "Image", "Picture"),
}
_WIDTHS: dict[Kind, tuple[int, int]] = {
    "name": (120, 170),
    "label": (110, 210),
    "count": (62, 96),
    "money": (84, 120),
    "percent": (64, 90),
    "date": (84, 110),
    "status": (92, 120),
    "check": (48, 70),
    "bar": (90, 150),
    "photo": (70, 110),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    kind: Kind
    width: int
    """At 1x."""
    cells: tuple[str, ...]
    """What each row shows; "" = empty."""
    shares: tuple[float, ...]
    """Where each row's value lies between the column's least and greatest, 0..1."""

    @property
    def is_number(self) -> bool:
        """Whether cells are set at the right."""
        return self.kind in ("count", "money", "percent")


def write_table(text: TextBank, rng: np.random.Generator, *, num_rows: int, width: int, photos: bool) -> list[Column]:
    """Return columns that are `width` or a little more wide together (at 1x), the first a name or label."""
    kinds: list[Kind] = ["name" if rng.random() < 0.5 else "label"]
    if photos:
        kinds.insert(int(rng.integers(2)), "photo")
    months = list(MONTHS) if rng.random() < 0.25 else []
    currency, digits = str(rng.choice(["$", "", "", "€"])), int(rng.choice([0, 2]))
    columns: list[Column] = []
    while not columns or sum(column.width for column in columns) < width:
        number = len(columns)
        others: tuple[Kind, ...] = ("money",) if months else _KINDS
        kind = kinds[number] if number < len(kinds) else text.pick(others)
        title = months[number - len(kinds)][:3] if kind == "money" and months and number < 12 else ""
        columns.append(_column(text, rng, kind, num_rows, f"{currency}{digits}"))
        columns[-1] = replace(columns[-1], title=title or columns[-1].title)
    return columns


def _column(text: TextBank, rng: np.random.Generator, kind: Kind, num_rows: int, money: str) -> Column:
    """`money` is the currency's sign, if any, and the number of decimals."""
    low, high = _WIDTHS[kind]
    sign, digits = money[:-1], int(money[-1])
    filled = 1.0 if kind in ("name", "photo") or rng.random() < 0.6 else float(rng.uniform(0.5, 0.97))
    shares = rng.random(num_rows)
    scale = float(10 ** rng.uniform(2.5, 5)) if kind == "money" else float(10 ** rng.uniform(1, 5))
    pool = [text.label(int(rng.integers(1, 3))) for _ in range(8)]
    cells = []
    for share in shares.tolist():
        value = share * scale
        shown = {
            "count": f"{value:,.0f}",
            "money": f"{sign}{value:,.{digits}f}" if share > 0.06 else f"-{sign}{value:,.{digits}f}",
            "percent": f"{share * 100:.{min(1, digits)}f}%",
        }.get(kind) or _words(text, kind, pool)
        cells.append(shown if rng.random() < filled else "")
    width = max(int(rng.integers(low, high)), len(max(cells, key=len)) * 8 if kind in ("count", "money") else 0)
    title = text.pick(_TITLES[kind])
    return Column(title=title, kind=kind, width=width, cells=tuple(cells), shares=tuple(shares.tolist()))


def _words(text: TextBank, kind: Kind, pool: list[str]) -> str:
    if kind == "name":
        return text.full_name()
    if kind == "label":
        return text.pick(pool)
    if kind == "date":
        return f"{text.number(2023, 2027)}-{text.number(1, 13):02d}-{text.number(1, 29):02d}"
    return text.pick(STATUSES) if kind == "status" else kind
