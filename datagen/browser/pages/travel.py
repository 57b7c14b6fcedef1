"""Places to stay: cards beside a map."""

from datagen.browser import charts
from datagen.browser.kit import Kit, repeat

_CSS = """
body{height:100vh;overflow:hidden;display:flex;flex-direction:column}
.top{gap:18px;padding:12px 24px;background:var(--surface);border-bottom:1px solid var(--line)}
.pill{border:1px solid var(--line);border-radius:99px;box-shadow:0 1px 4px #0001;padding:8px 10px 8px 20px;gap:16px;
 margin:0 auto}
.pill .go{background:var(--accent);color:var(--on-accent);border-radius:50%;padding:8px}
.cats{gap:30px;padding:12px 24px;overflow:hidden;font-size:.8em;color:var(--muted)}
.cats span{display:grid;justify-items:center;gap:4px;white-space:nowrap}
.main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(0,1.25fr) minmax(0,1fr)}
.list{overflow:hidden;padding:10px 24px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:22px 18px}
.stay .pic{aspect-ratio:20/19;border-radius:max(var(--r),8px);overflow:hidden;position:relative;margin-bottom:9px}
.dots{position:absolute;bottom:9px;left:50%;translate:-50% 0;display:flex;gap:5px}
.dots i{width:6px;height:6px;border-radius:50%;background:#fff;opacity:.6}.dots i:first-child{opacity:1}
.fav{position:absolute;right:11px;top:10px;color:#fff}
.guest{position:absolute;left:10px;top:10px;background:#ffffffee;color:#111;border-radius:99px;font-size:.78em;
 font-weight:600;padding:3px 11px}
.map{position:relative;overflow:hidden}
.tag{position:absolute;translate:-50% -50%;background:var(--surface);border-radius:99px;padding:4px 11px;
 font-weight:700;font-size:.86em;box-shadow:0 2px 6px #0004}
.tag.on{background:var(--text);color:var(--page)}
.float{position:absolute;width:250px;overflow:hidden;box-shadow:0 8px 30px #0005;z-index:3}
.float .pic{height:150px;overflow:hidden}
.zoom{position:absolute;right:14px;top:14px;background:var(--surface);border-radius:9px;display:grid;
 box-shadow:0 1px 5px #0004}
.zoom span{padding:8px}
@media (max-width:900px){.main{grid-template-columns:minmax(0,1fr)}.map{display:none}.pill{margin:0;flex:1}
 .hide{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    pill = (
        f"<div class='pill row'><b class='small'>{kit.text.place()}</b><span class='small hide"
        f" muted'>{kit.text.date()}</span>"
        f"<span class='small muted'>{kit.number(1, 6)} {kit.ui('Guests')}</span><span"
        f" class='go'>{kit.icon('search', 16)}</span></div>"
    )
    top = (
        f"<header class='top row'>{kit.logo(28)}{pill}<span class='hide row'"
        f" style='gap:14px'>{kit.icon('globe')}{kit.avatar(kit.name(), 32)}</span></header>"
    )
    names = ("home", "sun", "camera", "star", "cloud", "pin", "heart", "bolt", "moon", "globe", "calendar", "truck")
    cats = repeat([f"<span>{kit.icon(name, 22)}{kit.words(1)}</span>" for name in names])
    num_stays = max(3, (kit.width // 500) * (kit.height // 320 + 1) * 2)
    stays = repeat([_stay(kit) for _ in range(min(num_stays, 30))])
    return (
        f"<style>{_CSS}</style>{top}<div class='cats row'>{cats}</div><div class='main'><section class='list'>"
        f"<p class='strong' style='margin-bottom:14px'>{kit.number(40, 900)} · {kit.text.place()}</p><div"
        f" class='cards'>{stays}</div></section>{_map(kit)}</div>"
    )


def _stay(kit: Kit) -> str:
    guest = f"<span class='guest'>{kit.words(1)}</span>" if kit.maybe(0.3) else ""
    return (
        f"<article class='stay'><div class='pic'>{kit.img(270, 256)}{guest}<span"
        f" class='fav'>{kit.icon('heart', 22)}</span>"
        "<span class='dots'><i></i><i></i><i></i><i></i></span></div><div class='row'><b class='grow"
        f" ellipsis'>{kit.text.place()}, {kit.words(1)}</b>"
        "<span class='row small'"
        f" style='gap:4px'>{kit.icon('star', 13, filled=True)}{kit.number(3, 5)}.{kit.number(10, 99)}</span>"
        "</div>"
        f"<div class='small muted ellipsis'>{kit.words(3)}</div><div><b>{kit.price()}</b> <span"
        f" class='small'>{kit.ui('per night')}</span></div></article>"
    )


def _map(kit: Kit) -> str:
    satellite = kit.maybe(0.3)
    width, height = max(300, round(kit.width * 0.44)), max(300, kit.height - 130)
    ground = (
        kit.img(width, height) if satellite else charts.street_map(kit.rng, width, height, dark=kit.look.palette.dark)
    )
    tags = []
    for index in range(kit.number(5, 16)):
        x, y = kit.number(8, 92), kit.number(8, 92)
        tags.append(
            f"<span class='tag {'on' if index == 0 else ''}' style='left:{x}%;top:{y}%'>{kit.price()[:-3]}</span>"
        )
    card = ""
    if kit.maybe(0.4):
        card = (
            f"<div class='card float' style='left:{kit.number(8, 40)}%;top:{kit.number(8, 40)}%'><div"
            f" class='pic'>{kit.img(250, 150)}</div>"
            f"<div style='padding:11px 14px'><b>{kit.words(2)}</b><div class='small muted'>{kit.price()}"
            f" {kit.ui('per night')}</div></div></div>"
        )
    zoom = f"<div class='zoom'><span>{kit.icon('plus', 17)}</span><span>{kit.icon('minus', 17)}</span></div>"
    return f"<div class='map'>{ground}{repeat(tags)}{card}{zoom}</div>"
