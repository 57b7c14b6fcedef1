"""A presentation, shown full screen or in its editor."""

from datagen.browser import charts
from datagen.browser.kit import Kit, repeat

_CSS = """
body{height:100vh;overflow:hidden;display:flex;flex-direction:column;background:var(--behind)}
.bar{gap:16px;padding:9px 16px;background:var(--surface);border-bottom:1px solid var(--line)}
.tools{gap:15px;padding:7px 16px;background:var(--surface);border-bottom:1px solid var(--line);color:var(--muted);
 overflow:hidden}
.tools i{width:1px;height:20px;background:var(--line)}
.main{flex:1;min-height:0;display:grid;grid-template-columns:var(--strip) minmax(0,1fr)}
.strip{background:var(--surface);border-inline-end:1px solid var(--line);padding:14px 12px;overflow:hidden;
 display:flex;flex-direction:column;gap:12px}
.mini{display:flex;gap:8px;font-size:.75em;color:var(--muted)}
.mini .s{zoom:.19}
.stage{display:grid;place-items:center;min-width:0;overflow:hidden}
.s{width:var(--w);height:var(--hh);background:var(--paper);color:var(--inkk);position:relative;overflow:hidden;
 flex:none;font-size:calc(var(--w)/52)}
.stage .s{box-shadow:0 4px 26px #0004}
.mini.on .s{outline:14px solid var(--accent)}
.s h1{font:700 2.9em/1.12 var(--head);letter-spacing:-.015em}
.s h2{font:700 1.95em/1.15 var(--head);margin-bottom:.6em}
.s ul{display:grid;gap:.55em;font-size:1.12em}
.s li::before{content:'';display:inline-block;width:.42em;height:.42em;border-radius:50%;background:var(--accent);
 margin-inline-end:.75em;vertical-align:.14em}
.pad{position:absolute;inset:0;padding:6% 7%}
.no{position:absolute;right:3%;bottom:3%;font-size:.66em;opacity:.6}
.full{position:absolute;inset:0}
.title{position:absolute;left:7%;bottom:13%;right:14%;color:#fff;text-shadow:0 2px 14px #0009}
.halves{position:absolute;inset:0;display:grid;grid-template-columns:1fr 1fr}
.halves .t{padding:12% 12% 0 14%}
.halves .pic{overflow:hidden;position:relative;min-width:0;min-height:0}
.halves .pic img{position:absolute;inset:0}
.four{display:grid;grid-template-columns:repeat(3,1fr);gap:3%;margin-top:3%}
.four .pic{height:calc(var(--w)*.21);border-radius:.5em;overflow:hidden;margin-bottom:.5em}
.quote{font:italic 2em/1.4 var(--head)}
.band{position:absolute;inset:0 0 auto 0;height:1.1%;background:linear-gradient(90deg,var(--accent),var(--second))}
@media (max-width:900px){.tools{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    editor = kit.maybe(0.55) and not kit.narrow and kit.height > 480
    room = (kit.width - 300, kit.height - 160) if editor else (kit.width, kit.height)
    width = max(300, round(min(room[0], room[1] * 16 / 9)))
    paper, ink = kit.pick(
        (("#ffffff", "#1b1f27"), ("#fbf7f0", "#2b2620"), ("#10151f", "#eef2f8"), ("#1d2b45", "#f2f5fb"))
    )
    variables = (
        f"--w:{width}px;--hh:{round(width * 9 / 16)}px;--paper:{paper};--inkk:{ink};"
        f"--head:var(--{kit.pick(('sans', 'sans', 'serif'))});"
        f"--strip:{'240px' if editor else '0px'};--behind:{'var(--raised)' if editor else '#000'}"
    )
    style = f"<style>:root{{{variables}}}{_CSS}</style>"
    makers = (_cover, _bullets, _halves, _chart, _pictures, _quote)
    slide = kit.pick(makers)(kit, width)
    if not editor:
        return f"{style}<div class='main'><span></span><div class='stage'>{slide}</div></div>"
    minis = []
    for index in range(min(8, kit.height // 130)):
        shown = slide if index == 1 else kit.pick(makers)(kit, round(width * 0.19))
        minis.append(f"<div class='mini {'on' if index == 1 else ''}'><span>{index + 1}</span>{shown}</div>")
    strip = f"<aside class='strip'><style>.mini .s{{zoom:{196 / width:.4f}}}</style>{repeat(minis)}</aside>"
    return f"{style}{_bars(kit)}<div class='main'>{strip}<div class='stage'>{slide}</div></div>"


def _bars(kit: Kit) -> str:
    menus = repeat([f"<span class='small'>{kit.words(1)}</span>" for _ in range(6)])
    tools = repeat(
        [
            kit.icon(name, 18) if name else "<i></i>"
            for name in (
                "plus",
                "",
                "edit",
                "image",
                "grid",
                "",
                "link",
                "comment",
                "",
                "list",
                "filter",
                "",
                "eye",
                "star",
            )
        ]
    )
    return (
        f"<header class='bar row'>{kit.logo()}<div><div class='strong'>{kit.words(3)}</div><div class='row'"
        f" style='gap:14px'>{menus}</div></div>"
        f"<span class='grow'></span>{kit.avatar(kit.name(), 30)}<span"
        f" class='button'>{kit.icon('share', 15)}{kit.ui('Share')}</span></header>"
        f"<div class='tools row'>{tools}</div>"
    )


def _sheet(kit: Kit, inside: str) -> str:
    band = "<div class='band'></div>" if kit.maybe(0.3) else ""
    return f"<section class='s'>{inside}{band}<span class='no'>{kit.number(2, 40)}</span></section>"


def _cover(kit: Kit, width: int) -> str:
    return _sheet(
        kit,
        (
            f"<div class='full'>{kit.img(width, width * 9 / 16)}</div><div class='title'><h1>{kit.words(4)}</h1><p"
            f" style='margin-top:.7em'>{kit.name()} · {kit.text.date()}</p></div>"
        ),
    )


def _bullets(kit: Kit, width: int) -> str:
    items = repeat([f"<li>{kit.words(kit.number(3, 6))}</li>" for _ in range(kit.number(3, 6))])
    corner = (
        f"<div style='position:absolute;right:7%;bottom:14%;width:{width * 0.27:.0f}px;height:{width * 0.19:.0f}px;"
        f"border-radius:.6em;overflow:hidden'>{kit.img(width * 0.27, width * 0.19)}</div>"
        if kit.maybe(0.5)
        else ""
    )
    return _sheet(kit, f"<div class='pad'><h2>{kit.words(3)}</h2><ul>{items}</ul></div>{corner}")


def _halves(kit: Kit, width: int) -> str:
    words = f"<div class='t'><h2>{kit.words(3)}</h2><p>{kit.paragraph(2)}</p></div>"
    picture = f"<div class='pic'>{kit.img(width / 2, width * 9 / 16)}</div>"
    return _sheet(kit, f"<div class='halves'>{words + picture if kit.maybe(0.5) else picture + words}</div>")


def _chart(kit: Kit, width: int) -> str:
    chart = charts.lines(kit.rng, 900, 360, kit.language) if kit.maybe(0.5) else charts.columns(kit.rng, 900, 360)
    return _sheet(
        kit, f"<div class='pad'><h2>{kit.words(4)}</h2><div style='width:{width * 0.84:.0f}px'>{chart}</div></div>"
    )


def _pictures(kit: Kit, width: int) -> str:
    cells = repeat(
        [
            f"<div><div class='pic'>{kit.img(width * 0.27, width * 0.21)}</div><b>{kit.words(2)}</b><p"
            f" style='font-size:.8em;opacity:.75'>{kit.sentence()}</p></div>"
            for _ in range(3)
        ]
    )
    return _sheet(kit, f"<div class='pad'><h2>{kit.words(3)}</h2><div class='four'>{cells}</div></div>")


def _quote(kit: Kit, width: int) -> str:
    name = kit.name()
    return _sheet(
        kit,
        "<div class='pad' style='display:flex;flex-direction:column;justify-content:center;gap:1.4em'><p"
        f" class='quote'>“{kit.sentence()}”</p>"
        f"<div class='row' style='gap:1em'>{kit.avatar(name, max(24, width // 16))}<b>{name}</b></div></div>",
    )
