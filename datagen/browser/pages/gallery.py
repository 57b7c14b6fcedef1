"""A photo library or a picture board: justified rows, square tiles, or columns; perhaps with one picture opened."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.top{gap:16px;padding:11px 22px;position:sticky;top:0;z-index:3;background:var(--page)}
.frame{display:grid;grid-template-columns:var(--side) minmax(0,1fr)}
.side{padding:10px;display:flex;flex-direction:column;gap:3px}
.side a{display:flex;gap:13px;padding:9px 15px;border-radius:99px;align-items:center}
.side a.on{background:var(--soft);color:var(--accent);font-weight:600}
main{padding:4px 18px 40px;min-width:0}
.day{margin:16px 4px 9px;font-weight:600}
.rows{display:flex;flex-wrap:wrap;gap:var(--gap)}
.rows .p{height:var(--h);flex-grow:1;overflow:hidden;position:relative;border-radius:var(--pr)}
.squares{display:grid;grid-template-columns:repeat(auto-fill,minmax(var(--h),1fr));gap:var(--gap)}
.squares .p{aspect-ratio:1;overflow:hidden;position:relative;border-radius:var(--pr)}
.board{columns:var(--h);column-gap:16px}
.board .p{break-inside:avoid;margin-bottom:16px;border-radius:16px;overflow:hidden;position:relative}
.board .p img{width:100%;height:auto}
.pin{break-inside:avoid;margin-bottom:16px}
.pin .p{margin-bottom:7px}
.tick{position:absolute;left:9px;top:9px;width:23px;height:23px;border-radius:50%;background:var(--accent);color:#fff;
 display:grid;place-items:center;border:2px solid #fff}
.p.sel{outline:4px solid var(--accent);outline-offset:-4px}
.len{position:absolute;right:8px;top:7px;color:#fff;font-size:.78em;font-weight:600;text-shadow:0 1px 3px #000;
 display:flex;gap:4px;align-items:center}
.cap{position:absolute;inset:auto 0 0 0;padding:26px 12px 9px;background:linear-gradient(#0000,#000a);color:#fff;
 font-size:.88em}
.open{position:fixed;inset:0;z-index:8;background:rgba(10,10,12,.93);color:#eee;display:flex;flex-direction:column}
.open .bar{gap:20px;padding:15px 22px}
.open .stage{flex:1;min-height:0;display:flex;align-items:center;justify-content:center;padding:0 70px;
 position:relative}
.open .stage>img{max-width:100%;max-height:100%}
.arrow{position:absolute;top:50%;width:46px;height:46px;margin-top:-23px;border-radius:50%;background:#fff2;
 display:grid;place-items:center}
.open .film{display:flex;gap:6px;justify-content:center;padding:14px;overflow:hidden}
.open .film div{width:74px;height:52px;overflow:hidden;border-radius:6px;flex:none;opacity:.999}
.open .film .on{outline:3px solid #fff}
@media (max-width:800px){.frame{grid-template-columns:minmax(0,1fr)}.side{display:none}main{padding:0 6px 30px}
 .open .stage{padding:0 12px}.arrow{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    tall = kit.pick((130, 170, 210, 250)) if not kit.narrow else kit.pick((96, 130))
    gap, rounding = kit.pick((2, 4, 8, 14)), kit.pick((0, 0, 6, 12))
    side = "210px" if kit.maybe(0.6) else "0px"
    style = f"<style>:root{{--h:{tall}px;--gap:{gap}px;--pr:{rounding}px;--side:{side}}}{_CSS}</style>"
    kind = kit.pick(("rows", "squares", "board"))
    top = (
        f"<header class='top row'>{kit.logo()}<b>{kit.ui('Photos')}</b><span class='field grow'"
        " style='max-width:620px;margin:0 auto'>"
        f"{kit.icon('search', 17)}{kit.ui('Search')}"
        f"</span>{kit.icon('plus')}{kit.icon('gear')}{kit.avatar(kit.name(), 32)}</header>"
    )
    menu = _menu(kit) if side != "0px" else "<span></span>"
    opened = _opened(kit) if kit.maybe(0.2) else ""
    return f"{style}{top}<div class='frame'>{menu}<main>{_pictures(kit, kind, tall)}</main></div>{opened}"


def _menu(kit: Kit) -> str:
    names = (
        ("image", "Photos"),
        ("search", "Search"),
        ("users", "Share"),
        ("heart", "Favourites"),
        ("folder", "Albums"),
        ("archive", "All"),
        ("trash", "Bin"),
    )
    return (
        "<nav class='side'>"
        + repeat(
            [
                f"<a class='{'on' if i == 0 else ''}'>{kit.icon(icon, 19)}{kit.ui(name)}</a>"
                for i, (icon, name) in enumerate(names)
            ]
        )
        + "</nav>"
    )


def _pictures(kit: Kit, kind: str, tall: int) -> str:
    wide = tall * 1.35 if kind == "rows" else tall * 1.05
    num_pictures = min(70, max(6, round(kit.width / wide * (kit.height / tall + 0.6))))
    if kind == "board":
        return f"<div class='board'>{repeat([_pin(kit, tall) for _ in range(num_pictures)])}</div>"
    parts = []
    made = 0
    while made < num_pictures:
        count = min(num_pictures - made, kit.number(5, 22))
        parts.append(f"<div class='day'>{kit.text.date()} <span class='muted small'>{kit.text.place()}</span></div>")
        parts.append(f"<div class='{kind}'>{repeat([_tile(kit, kind, tall) for _ in range(count)])}</div>")
        made += count
    return repeat(parts)


def _tile(kit: Kit, kind: str, tall: int) -> str:
    wide = round(tall * (kit.pick((0.75, 1.33, 1.5, 1.78)) if kind == "rows" else 1))
    extra, chosen = "", ""
    roll = kit.number(0, 14)
    if roll == 0:
        extra, chosen = f"<span class='tick'>{kit.icon('check', 14)}</span>", " sel"
    elif roll == 1:
        extra = f"<span class='len'>0:{kit.number(10, 59)}{kit.icon('play', 14, filled=True)}</span>"
    elif roll == 2:
        extra = f"<span class='cap'>{kit.words(2)}</span>"
    size = f" style='width:{wide}px;max-width:100%'" if kind == "rows" else ""
    return f"<div class='p{chosen}'{size}>{kit.img(wide, tall)}{extra}</div>"


def _pin(kit: Kit, tall: int) -> str:
    height = round(tall * kit.pick((0.7, 1.0, 1.25, 1.5)))
    name = kit.name()
    words = (
        f"<div class='strong small clamp'>{kit.words(3)}</div><div class='row tiny muted'"
        f" style='gap:7px'>{kit.avatar(name, 24)}{name}</div>"
        if kit.maybe(0.7)
        else ""
    )
    return f"<div class='pin'><div class='p'>{kit.img(tall, height)}</div>{words}</div>"


def _opened(kit: Kit) -> str:
    wide, tall = kit.width - 140, kit.height - 160
    share = kit.pick((1.5, 1.33, 0.75, 1.78))
    width = min(wide, tall * share) if not kit.narrow else kit.width - 24
    film = repeat(
        [f"<div class='{'on' if i == 2 else ''}'>{kit.img(74, 52)}</div>" for i in range(min(12, kit.width // 90))]
    )
    tools = repeat([kit.icon(name, 21) for name in ("share", "edit", "heart", "trash", "more")])
    picture = kit.img(
        width, width / share, css="", style=f"width:{width:.0f}px;height:{width / share:.0f}px;object-fit:contain"
    )
    return (
        f"<div class='open'><div class='bar row'>{kit.icon('arrow-left')}<span class='grow"
        f" ellipsis'>{kit.words(2)} · {kit.text.date()}</span>{tools}</div>"
        f"<div class='stage'>{picture}<span class='arrow' style='left:12px'>{kit.icon('chevron-left')}</span>"
        f"<span class='arrow' style='right:12px'>{kit.icon('chevron-right')}</span></div><div"
        f" class='film'>{film}</div></div>"
    )
