"""A video site: a frame with controls laid over it, and what comes next."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.top{gap:16px;padding:9px 22px;height:56px}
.top .field{max-width:560px;border:1px solid var(--line);border-radius:99px}
.wrap{display:grid;grid-template-columns:minmax(0,1fr) 390px;gap:24px;padding:12px 26px 40px;max-width:1760px;
 margin:0 auto}
.player{position:relative;aspect-ratio:16/9;overflow:hidden;border-radius:var(--r);background:var(--bars)}
.player>img{object-fit:var(--fit)}
.player .bottom{position:absolute;inset:auto 0 0 0;padding:40px 16px 10px;color:#fff;
 background:linear-gradient(#0000,#000b)}
.track{height:4px;background:#fff5;border-radius:3px;position:relative;margin-bottom:10px}
.track i{position:absolute;inset:0 auto 0 0;background:#f03;border-radius:3px}
.track b{position:absolute;top:-5px;width:14px;height:14px;border-radius:50%;background:#f03}
.controls{gap:16px;font-size:.86em}
.big{position:absolute;left:50%;top:50%;translate:-50% -50%;width:84px;height:84px;border-radius:50%;
 background:rgba(0,0,0,.55);color:#fff;display:grid;place-items:center}
.subs{position:absolute;left:50%;bottom:64px;translate:-50% 0;max-width:80%;background:rgba(8,8,8,.78);color:#fff;
 padding:3px 12px;font-size:1.25em;border-radius:4px;text-align:center}
.bug{position:absolute;right:16px;top:14px;color:#fff;opacity:.75;font-weight:800;display:flex;gap:6px;
 align-items:center}
.live{position:absolute;left:14px;top:12px;background:#dc2626;color:#fff;font-weight:700;font-size:.8em;
 border-radius:5px;padding:2px 9px}
.third{position:absolute;left:5%;bottom:18%;color:#fff}
.third b{display:block;background:var(--accent);color:var(--on-accent);padding:6px 16px;font-size:1.25em}
.third span{display:inline-block;background:rgba(255,255,255,.93);color:#111;padding:4px 16px}
h1{font-size:1.35em;margin:14px 0 10px}
.who{gap:12px;flex-wrap:wrap}
.about{background:var(--raised);border-radius:var(--r);padding:13px 16px;margin:16px 0;font-size:.95em}
.next{display:grid;grid-template-columns:168px minmax(0,1fr);gap:10px;margin-bottom:11px}
.next .pic,.tile .pic{position:relative;border-radius:min(var(--r),12px);overflow:hidden;aspect-ratio:16/9}
.len{position:absolute;right:6px;bottom:6px;background:#000c;color:#fff;font-size:.75em;border-radius:4px;
 padding:1px 5px;font-weight:600}
.seen{position:absolute;left:0;bottom:0;height:4px;background:#f03}
.next .strong{font-size:.95em;line-height:1.3}
.comment{display:flex;gap:13px;margin:16px 0}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:24px 16px;padding:8px 26px 40px}
.tile .pic{margin-bottom:10px}
.chips{gap:10px;padding:8px 26px 16px;overflow:hidden}
@media (max-width:1000px){.wrap{grid-template-columns:minmax(0,1fr);padding:0 0 30px}.player{border-radius:0}
 main>:not(.player){margin-inline:16px}aside{padding:0 16px}}
@media (max-width:640px){.top .field{display:none}.grid{padding:8px 14px}.chips{padding-inline:14px}
 .subs{font-size:1em;bottom:54px}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    fit = kit.pick(("cover", "cover", "contain"))
    bars = "#000" if fit == "contain" else "none"
    style = f"<style>:root{{--fit:{fit};--bars:{bars}}}{_CSS}</style>"
    if kit.maybe(0.3):
        return style + _top(kit) + _home(kit)
    main = (
        f"{_player(kit)}<h1>{kit.headline()}</h1>{_channel(kit)}<div class='about'><b>{kit.count()}"
        f" {kit.ui('views')} · "
        f"{kit.text.date()}</b><p class='clamp' style='--lines:3'>{kit.paragraph(4)}</p></div>{_comments(kit)}"
    )
    upcoming = repeat([_next(kit) for _ in range(4 + kit.height // 105)])
    return (
        f"{style}{_top(kit)}<div class='wrap'><main>{main}</main><aside><h3"
        f" style='margin-bottom:12px'>{kit.ui('Up next')}</h3>{upcoming}</aside></div>"
    )


def _top(kit: Kit) -> str:
    return (
        f"<header class='top row'>{kit.icon('menu')}{kit.logo()}<b style='font-size:1.15em'>{kit.words(1)}</b>"
        "<span class='grow'></span>"
        f"<span class='field grow'><span class='grow'>{kit.ui('Search')}</span>{kit.icon('search', 18)}</span>"
        "<span class='grow'></span>"
        f"{kit.icon('plus')}{kit.icon('bell')}{kit.avatar(kit.name(), 32)}</header>"
    )


def _player(kit: Kit) -> str:
    width = kit.width if kit.width <= 1000 else min(1760, kit.width) - 466
    size = (float(width), width * 9 / 16)
    if kit.maybe(0.25):
        size = (width * 0.6, width * 0.6)
    done = kit.number(3, 96)
    total = kit.number(90, 4000)
    now = total * done // 100
    overlays = []
    if kit.maybe(0.75):
        times = f"{now // 60}:{now % 60:02d} / {total // 60}:{total % 60:02d}"
        left = repeat(
            [
                kit.icon(name, 22, filled=name in ("play", "skip"))
                for name in (kit.pick(("play", "pause")), "skip", "volume")
            ]
        )
        overlays.append(
            f"<div class='bottom'><div class='track'><i style='width:{done}%'></i><b style='left:calc({done}% -"
            " 7px)'></b></div>"
            f"<div class='controls row'>{left}<span>{times}</span><span class='grow'>"
            f"</span>{kit.icon('gear', 20)}{kit.icon('grid', 20)}</div></div>"
        )
    if kit.maybe(0.4):
        overlays.append(f"<div class='big'>{kit.icon('play', 40, filled=True)}</div>")
    if kit.maybe(0.45):
        overlays.append(f"<div class='subs'>{kit.sentence()}</div>")
    if kit.maybe(0.3):
        overlays.append(f"<div class='bug'>{kit.logo(20)}{kit.words(1)}</div>")
    if kit.maybe(0.25):
        overlays.append(f"<div class='live'>{kit.ui('Live')}</div>")
    if kit.maybe(0.2):
        overlays.append(f"<div class='third'><b>{kit.name()}</b><span>{kit.words(3)}</span></div>")
    return f"<div class='player'>{kit.img(*size)}{repeat(overlays)}</div>"


def _channel(kit: Kit) -> str:
    name = kit.name()
    return (
        f"<div class='who row'>{kit.avatar(name, 42)}<div><div class='strong'>{name}</div><div class='tiny"
        f" muted'>{kit.count()}</div></div>"
        f"<span class='button' style='border-radius:99px'>{kit.ui('Subscribe')}</span><span class='grow'></span>"
        f"<span class='chip'>{kit.icon('heart', 17)}{kit.count()}</span><span"
        f" class='chip'>{kit.icon('share', 17)}{kit.ui('Share')}</span>"
        f"<span class='chip'>{kit.icon('bookmark', 17)}{kit.ui('Save')}</span></div>"
    )


def _comments(kit: Kit) -> str:
    rows = []
    for _ in range(max(2, kit.height // 300)):
        name = kit.name()
        rows.append(
            f"<div class='comment'>{kit.avatar(name, 38)}<div class='grow'><b class='small'>{name}</b> <span"
            " class='tiny muted'>"
            f"{kit.number(2, 30)} d</span><p>{kit.paragraph(kit.number(1, 3))}</p><div class='row tiny muted'"
            " style='gap:8px'>"
            f"{kit.icon('heart', 14)}{kit.count()} · {kit.ui('Reply')}</div></div></div>"
        )
    return repeat(rows)


def _thumb(kit: Kit, width: float) -> str:
    seen = f"<i class='seen' style='width:{kit.number(10, 95)}%'></i>" if kit.maybe(0.2) else ""
    return (
        f"<div class='pic'>{kit.img(width, width * 9 / 16)}<span"
        f" class='len'>{kit.number(1, 59)}:{kit.number(10, 60)}</span>{seen}</div>"
    )


def _next(kit: Kit) -> str:
    return (
        f"<div class='next'>{_thumb(kit, 168)}<div><div class='strong clamp'>{kit.headline()}</div><div"
        f" class='tiny muted'>{kit.name()}</div>"
        f"<div class='tiny muted'>{kit.count()} {kit.ui('views')}</div></div></div>"
    )


def _home(kit: Kit) -> str:
    chips = repeat([f"<span class='chip {'on' if index == 0 else ''}'>{kit.words(1)}</span>" for index in range(12)])
    tiles = []
    for _ in range(max(4, (kit.width // 286) * (kit.height // 260 + 1))):
        name = kit.name()
        tiles.append(
            f"<div class='tile'>{_thumb(kit, 300)}<div class='row'"
            f" style='gap:11px;align-items:flex-start'>{kit.avatar(name, 36)}"
            f"<div class='grow'><div class='strong clamp' style='line-height:1.3'>{kit.headline()}</div>"
            f"<div class='small muted'>{name}</div><div class='small muted'>{kit.count()} {kit.ui('views')}</div>"
            "</div></div></div>"
        )
    return f"<div class='chips row'>{chips}</div><div class='grid'>{repeat(tiles[:40])}</div>"
