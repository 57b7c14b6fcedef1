"""A shop's list of products."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.promo{background:var(--accent);color:var(--on-accent);text-align:center;font-size:.86em;padding:6px}
.top{gap:24px;padding:12px 28px;background:var(--surface);border-bottom:1px solid var(--line)}
.top .brand{font-weight:800;font-size:1.3em;letter-spacing:-.02em}
.cats{gap:26px;padding:10px 28px;font-weight:600;font-size:.93em;overflow:hidden;white-space:nowrap}
.banner{margin:8px 28px 4px;height:230px;border-radius:var(--r);overflow:hidden;position:relative;display:grid;
 grid-template-columns:1fr 1.5fr;
 background:linear-gradient(100deg,var(--accent),var(--second));color:#fff}
.banner .words{padding:34px 38px;align-self:center}
.banner h1{font-size:2.1em;margin-bottom:8px}
.wrap{display:grid;grid-template-columns:212px minmax(0,1fr);gap:30px;padding:18px 28px 40px}
.facets h4{margin:18px 0 8px;font-size:.93em}
.facets label{display:flex;gap:9px;align-items:center;font-size:.9em;padding:3px 0;color:var(--muted)}
.tick{width:16px;height:16px;border:1.5px solid var(--line);border-radius:4px;display:grid;place-items:center}
.tick.on{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.range{height:4px;border-radius:9px;
 background:linear-gradient(90deg,var(--line) 15%,var(--accent) 15% 70%,var(--line) 70%);position:relative;
 margin:10px 4px}
.range i{position:absolute;top:-6px;width:16px;height:16px;border-radius:50%;background:var(--surface);
 border:2px solid var(--accent)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(var(--tile),1fr));gap:20px}
.item{overflow:hidden;position:relative;display:flex;flex-direction:column}
.item .pic{aspect-ratio:var(--ratio);position:relative;overflow:hidden}
.item .pic.pad{padding:18px;background:#fff}
.item .in{padding:12px 14px 14px;display:grid;gap:5px}
.badge{position:absolute;top:10px;left:10px;background:#e11d48;color:#fff;border-radius:6px;padding:2px 8px;
 font-size:.75em;font-weight:700}
.heart{position:absolute;top:10px;right:10px;width:34px;height:34px;border-radius:50%;background:var(--surface);
 display:grid;place-items:center;box-shadow:0 1px 4px #0003}
.price b{font-size:1.15em}
.price s{color:var(--muted);font-size:.86em;margin-inline-start:7px}
@media (max-width:860px){.wrap{grid-template-columns:minmax(0,1fr);padding:14px 16px}.facets{display:none}
 .banner{margin:6px 16px;height:180px}.banner .words{padding:20px}
 .banner h1{font-size:1.5em}.cats,.top{padding-inline:16px}}
@media (max-width:640px){.grid{gap:12px;grid-template-columns:1fr 1fr}.top .field{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    tile = kit.pick((190, 220, 250))
    ratio = kit.pick(("1/1", "4/5", "4/3"))
    style = f"<style>:root{{--tile:{tile}px;--ratio:{ratio}}}{_CSS}</style>"
    num_items = max(4, (kit.width // (tile + 20)) * max(2, kit.height // 300 + 1))
    padded = kit.maybe(0.25)
    items = repeat([_item(kit, tile, padded=padded) for _ in range(min(num_items, 60))])
    sort = (
        f"<div class='row' style='gap:8px;margin-bottom:16px;overflow:hidden'><h2 class='grow ellipsis'>{kit.words(2)} "
        f"<span class='muted small' style='font-weight:400'>({kit.number(40, 900)})</span></h2>"
        + repeat([f"<span class='chip {'on' if kit.maybe(0.3) else ''}'>{kit.words(1)}</span>" for _ in range(3)])
        + "</div>"
    )
    banner = _banner(kit) if kit.maybe(0.6) else ""
    return (
        f"{style}{_top(kit)}{banner}<div class='wrap'>{_facets(kit)}<main>{sort}<div class='grid'>{items}"
        "</div></main></div>"
    )


def _top(kit: Kit) -> str:
    promo = f"<div class='promo'>{kit.ui('Free delivery')} · {kit.words(3)}</div>" if kit.maybe(0.4) else ""
    cats = repeat([f"<span>{kit.words(1)}</span>" for _ in range(8)])
    basket = f"<span class='row' style='gap:7px'>{kit.icon('cart')}<b class='small'>{kit.number(1, 9)}</b></span>"
    return (
        f"{promo}<header class='top row'><span class='row' style='gap:10px'>{kit.logo()}<span"
        f" class='brand'>{kit.words(1)}</span></span>"
        f"<span class='field grow' style='max-width:560px'>{kit.icon('search', 17)}{kit.ui('Search')}</span>"
        "<span class='grow'></span>"
        f"{kit.icon('user')}{kit.icon('heart')}{basket}</header><nav class='cats row'>{cats}</nav>"
    )


def _banner(kit: Kit) -> str:
    return (
        f"<section class='banner'><div class='words'><div class='small'>{kit.ui('New')}</div><h1>{kit.words(3)}</h1>"
        f"<p class='small clamp' style='margin-bottom:14px'>{kit.sentence()}</p><span class='button"
        f" quiet'>{kit.ui('Buy now')}</span></div>"
        f"<div style='position:relative;min-width:0;overflow:hidden'>"
        f"{kit.img(780, 230, style='position:absolute;inset:0')}</div></section>"
    )


def _facets(kit: Kit) -> str:
    def group(name: str) -> str:
        rows = []
        for _ in range(kit.number(3, 6)):
            on = kit.maybe(0.25)
            tick = f"<span class='tick {'on' if on else ''}'>{kit.icon('check', 12) if on else ''}</span>"
            rows.append(f"<label>{tick}<span class='grow'>{kit.words(1)}</span>{kit.number(2, 90)}</label>")
        return f"<h4>{kit.ui(name)}</h4>{repeat(rows)}"

    colours = repeat(
        [f"<span class='round' style='width:24px;height:24px;background:{kit.colour()}'></span>" for _ in range(6)]
    )
    price = "<div class='range'><i style='left:13%'></i><i style='left:66%'></i></div>"
    return (
        f"<aside class='facets'><h3>{kit.ui('Filters')}</h3><h4>{kit.ui('Price')}"
        f"</h4>{price}{group('Brand')}{group('Size')}"
        f"<h4>{kit.ui('Colour')}</h4><div class='row' style='gap:8px;flex-wrap:wrap'>{colours}"
        f"</div>{group('Reviews')}</aside>"
    )


def _item(kit: Kit, tile: int, *, padded: bool) -> str:
    sale = kit.maybe(0.25)
    badge = f"<span class='badge'>-{kit.number(5, 60)}%</span>" if sale else ""
    old = f"<s>{kit.price()}</s>" if sale else ""
    heart = f"<span class='heart'>{kit.icon('heart', 18, filled=kit.maybe(0.2))}</span>" if kit.maybe(0.7) else ""
    button = f"<span class='button' style='margin-top:4px'>{kit.ui('Add to basket')}</span>" if kit.maybe(0.5) else ""
    return (
        "<article class='card item'><div class='pic"
        f" {'pad' if padded else ''}'>{kit.img(tile * 1.15, tile * 1.15)}{badge}{heart}</div>"
        f"<div class='in'><div class='tiny muted'>{kit.words(1)}</div><div class='strong ellipsis'>{kit.words(3)}</div>"
        f"<div class='row tiny muted' style='gap:6px'>{kit.stars(13)} {kit.number(4, 900)}</div>"
        f"<div class='price'><b>{kit.price()}</b>{old}</div>{button}</div></article>"
    )
