"""An analytics dashboard: figures, charts, a table and a map."""

import numpy as np

from datagen.browser import charts
from datagen.browser.kit import Kit, repeat

_CSS = """
.app{display:grid;grid-template-columns:220px minmax(0,1fr);min-height:100vh}
.side{background:var(--surface);border-inline-end:1px solid var(--line);padding:18px 12px;display:flex;
 flex-direction:column;gap:3px}
.side a{display:flex;gap:12px;align-items:center;padding:9px 12px;border-radius:min(var(--r),9px);color:var(--muted)}
.side a.on{background:var(--soft);color:var(--accent);font-weight:600}
.main{padding:20px 26px 36px}
.head{gap:12px;margin-bottom:18px}
.kpis{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:16px;margin-bottom:16px}
.kpi{padding:15px 17px}
.kpi b{font-size:1.75em;line-height:1.25;display:block;font-variant-numeric:tabular-nums}
.up{color:#10b981}.down{color:#ef4444}
.grid{display:grid;grid-template-columns:repeat(12,minmax(0,1fr));gap:16px}
.panel{padding:16px 18px;overflow:hidden}
.panel h3{font-size:1em;margin-bottom:10px;display:flex;justify-content:space-between}
.w4{grid-column:span 4}.w5{grid-column:span 5}.w6{grid-column:span 6}.w7{grid-column:span 7}.w8{grid-column:span 8}
.panel svg.chart{width:100%;height:auto}
.bars{display:grid;gap:11px;font-size:.93em}
.meter{height:8px;border-radius:9px;background:var(--raised);overflow:hidden;margin-top:4px}
.meter i{display:block;height:100%}
td,th{text-align:start;padding:8px 6px;border-bottom:1px solid var(--line);font-size:.92em;font-weight:400;
 white-space:nowrap}
th{color:var(--muted);font-size:.82em}
.thumb{width:36px;height:36px;border-radius:8px;overflow:hidden;display:inline-block;vertical-align:middle;
 margin-inline-end:10px}
.sat{position:relative;height:300px;margin:0 -18px -16px;overflow:hidden}
.sat .dot{position:absolute;translate:-50% -50%;border-radius:50%;
 background:color-mix(in srgb,var(--accent) 80%,transparent);border:2px solid #fff}
.tools{position:absolute;right:12px;top:12px;display:grid;background:var(--surface);border-radius:8px;
 box-shadow:0 1px 5px #0005}
.tools span{padding:6px}
@media (max-width:980px){.app{grid-template-columns:minmax(0,1fr)}.side{display:none}.grid>*{grid-column:1/-1}
 .main{padding:14px}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    panels = [
        (
            f"<section class='card panel w8'><h3>{kit.ui('Revenue')}{_period(kit)}"
            f"</h3>{charts.lines(kit.rng, 760, 280, kit.language)}</section>"
        ),
        (
            f"<section class='card panel w4'><h3>{kit.words(2)}"
            f"</h3>{charts.donut(kit.rng, 300, 220)}{_legend(kit)}</section>"
        ),
    ]
    rest = [
        f"<section class='card panel w6'><h3>{kit.words(2)}</h3>{charts.columns(kit.rng, 560, 240)}</section>",
        f"<section class='card panel w6'><h3>{kit.words(2)}</h3>{_meters(kit)}</section>",
        f"<section class='card panel w7'><h3>{kit.ui('Orders')}</h3>{_table(kit)}</section>",
        f"<section class='card panel w5'><h3>{kit.words(2)}</h3>{_map(kit)}</section>",
        f"<section class='card panel w4'><h3>{kit.words(2)}</h3>{charts.heat(kit.rng, 320, 190)}</section>",
        f"<section class='card panel w8'><h3>{kit.words(2)}</h3>{charts.scatter(kit.rng, 760, 260)}</section>",
    ]
    pairs = [rest[0:2], rest[2:4], rest[4:6]]
    for index in kit.rng.permutation(len(pairs)):
        panels += pairs[int(index)]
    return (
        f"<style>{_CSS}</style><div class='app'>{_side(kit)}<main class='main'>{_head(kit)}{_kpis(kit)}"
        f"<div class='grid'>{repeat(panels)}</div></main></div>"
    )


def _side(kit: Kit) -> str:
    names = (
        ("home", "Overview"),
        ("bars", "Reports"),
        ("cart", "Orders"),
        ("users", "Customers"),
        ("mail", "Messages"),
        ("calendar", "Today"),
        ("file", "Drafts"),
        ("gear", "Settings"),
    )
    links = repeat(
        [
            f"<a class='{'on' if i == 0 else ''}'>{kit.icon(icon, 18)}{kit.ui(name)}</a>"
            for i, (icon, name) in enumerate(names)
        ]
    )
    user = kit.name()
    return (
        f"<nav class='side'><div class='row' style='gap:10px;padding:0 10px 18px'>{kit.logo()}"
        f"<b>{kit.words(1)}</b></div>{links}"
        f"<span class='grow'></span><div class='row' style='gap:10px;padding:10px'>{kit.avatar(user, 34)}<span"
        f" class='small ellipsis'>{user}</span></div></nav>"
    )


def _head(kit: Kit) -> str:
    search = (
        "" if kit.narrow else f"<div class='field' style='width:240px'>{kit.icon('search', 16)}{kit.ui('Search')}</div>"
    )
    return (
        f"<div class='head row'><h1 class='grow' style='font-size:1.5em'>{kit.ui('Overview')}</h1>{search}"
        f"<span class='button quiet'>{kit.icon('download', 16)}</span><span"
        f" class='button'>{kit.icon('plus', 16)}{kit.ui('New')}</span></div>"
    )


def _period(kit: Kit) -> str:
    return f"<span class='chip tiny'>{kit.icon('calendar', 14)}{kit.text.date()}</span>"


def _kpis(kit: Kit) -> str:
    cards = []
    for name in ("Revenue", "Visitors", "Orders", "Customers"):
        up = kit.maybe(0.65)
        spark = charts.spark(kit.rng, 90, 30, "#10b981" if up else "#ef4444")
        change = f"{'+' if up else '-'}{kit.number(1, 29)}.{kit.number(0, 9)} %"
        cards.append(
            f"<div class='card kpi'><div class='small muted'>{kit.ui(name)}</div>"
            f"<b>{kit.number(2, 980)},{kit.number(100, 999)}</b>"
            "<div class='row' style='justify-content:space-between'><span class='small"
            f" {'up' if up else 'down'}'>{change}</span>{spark}</div></div>"
        )
    return f"<div class='kpis'>{repeat(cards)}</div>"


def _legend(kit: Kit) -> str:
    return (
        "<div class='row small' style='flex-wrap:wrap;gap:6px 16px;justify-content:center;margin-top:8px'>"
        + repeat(
            [
                "<span class='row' style='gap:6px'><i class='round'"
                f" style='width:10px;height:10px;background:var(--c{i})'></i>{kit.words(1)}</span>"
                for i in range(4)
            ]
        )
        + "</div>"
    )


def _meters(kit: Kit) -> str:
    rows = []
    for index in range(6):
        share = kit.number(8, 98)
        rows.append(
            f"<div><div class='row'><span class='grow'>{kit.words(2)}</span><span class='muted'>{share} %</span></div>"
            f"<div class='meter'><i style='width:{share}%;background:var(--c{index})'></i></div></div>"
        )
    return f"<div class='bars'>{repeat(rows)}</div>"


def _table(kit: Kit) -> str:
    head = repeat([f"<th>{kit.ui(name)}</th>" for name in ("Customers", "Price", "Brand", "Today")])
    rows = []
    for _ in range(6):
        state, colour = kit.pick((("●", "#10b981"), ("●", "#f59e0b"), ("●", "#ef4444")))
        rows.append(
            f"<tr><td><span class='thumb'>{kit.img(36, 36)}</span>{kit.words(2)}</td><td>{kit.price()}</td><td"
            f" class='muted'>{kit.words(1)}</td>"
            f"<td><span class='chip'><span style='color:{colour}'>{state}</span>{kit.words(1)}</span></td></tr>"
        )
    return f"<table style='width:100%'><tr>{head}</tr>{repeat(rows)}</table>"


def _map(kit: Kit) -> str:
    background = (
        kit.img(520, 300) if kit.maybe(0.4) else charts.street_map(kit.rng, 520, 300, dark=kit.look.palette.dark)
    )
    dots = []
    for _ in range(kit.number(3, 9)):
        x, y = (float(value) for value in np.round(kit.rng.uniform(10, 90, 2), 1))
        size = kit.number(12, 40)
        dots.append(f"<i class='dot' style='left:{x}%;top:{y}%;width:{size}px;height:{size}px'></i>")
    tools = f"<div class='tools'><span>{kit.icon('plus', 16)}</span><span>{kit.icon('minus', 16)}</span></div>"
    return f"<div class='sat'>{background}{repeat(dots)}{tools}</div>"
