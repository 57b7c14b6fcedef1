"""One product's page: pictures, price, description, reviews."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.top{gap:22px;padding:12px 28px;background:var(--surface);border-bottom:1px solid var(--line)}
.crumb{padding:12px 28px;font-size:.83em;color:var(--muted);max-width:1320px;margin:0 auto}
.wrap{display:grid;grid-template-columns:74px minmax(0,1.15fr) minmax(0,1fr);gap:18px 26px;padding:0 28px 30px;
 max-width:1320px;margin:0 auto}
.thumbs{display:grid;gap:10px;align-content:start}
.thumbs div{height:74px;border-radius:min(var(--r),9px);overflow:hidden;border:2px solid transparent}
.thumbs .on{border-color:var(--accent)}
.big{aspect-ratio:1/1;max-height:74vh;width:100%;border-radius:var(--r);overflow:hidden;position:relative}
.big .tag{position:absolute;left:14px;top:14px;background:var(--accent);color:var(--on-accent);font-weight:700;
 padding:3px 11px;border-radius:6px;font-size:.86em}
.glass{position:absolute;left:16px;right:16px;bottom:16px;padding:12px 16px;border-radius:12px;color:#111;
 font-weight:600;overflow:hidden}
.glass img{position:absolute;inset:-40px;width:calc(100% + 80px);height:calc(100% + 80px);filter:blur(16px)}
.glass span{position:relative}
.glass i{position:absolute;inset:0;background:rgba(255,255,255,.4)}
.info{display:grid;gap:13px;align-content:start}
.info h1{font-size:1.85em}
.cost{font-size:1.75em;font-weight:700}
.swatch{width:52px;height:52px;border-radius:min(var(--r),9px);overflow:hidden;border:2px solid var(--line)}
.sizes{gap:8px;flex-wrap:wrap}
.sizes span{border:1px solid var(--line);border-radius:min(var(--r),8px);padding:7px 14px;font-size:.9em}
.sizes .on{border-color:var(--accent);color:var(--accent);font-weight:700}
.buy{padding:.8em;font-size:1.06em}
.perks{display:grid;gap:9px;padding:14px 16px;font-size:.92em}
.perks div{display:flex;gap:11px;align-items:center}
.rev{max-width:1320px;margin:0 auto;padding:6px 28px 40px;display:grid;
 grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:16px}
.rev .card{padding:15px 17px}
.rev .pics{display:flex;gap:7px;margin-top:10px}
.rev .pics div{width:66px;height:66px;border-radius:8px;overflow:hidden}
@media (max-width:820px){.wrap{grid-template-columns:minmax(0,1fr);padding:0 16px 20px}.thumbs{grid-auto-flow:column;
 grid-auto-columns:66px;order:2}.info{order:3}.crumb,.top,.rev{padding-inline:16px}
 .thumbs div{height:66px}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    side = min(560, kit.width - 32)
    thumbs = repeat(
        [f"<div class='{'on' if index == 0 else ''}'>{kit.img(74, 74)}</div>" for index in range(kit.number(4, 7))]
    )
    tag = f"<span class='tag'>{kit.ui(kit.pick(('Sale', 'New')))}</span>" if kit.maybe(0.4) else ""
    glass = f"<div class='glass'>{kit.img(side, 120)}<i></i><span>{kit.words(4)}</span></div>" if kit.maybe(0.3) else ""
    top = (
        f"<header class='top row'>{kit.logo()}<b style='font-size:1.2em'>{kit.words(1)}</b><span class='field"
        " grow' style='max-width:520px'>"
        f"{kit.icon('search', 17)}{kit.ui('Search')}</span><span class='grow'>"
        f"</span>{kit.icon('user')}{kit.icon('cart')}</header>"
    )
    crumb = " &rsaquo; ".join(kit.words(1) for _ in range(3))
    reviews = repeat([_review(kit) for _ in range(3 if kit.height < 1000 else 6)])
    return (
        f"<style>{_CSS}</style>{top}<div class='crumb'>{crumb}</div><div class='wrap'><div"
        f" class='thumbs'>{thumbs}</div>"
        f"<div class='big'>{kit.img(side, side)}{tag}{glass}</div>{_info(kit)}</div><div class='rev'>{reviews}</div>"
    )


def _info(kit: Kit) -> str:
    swatches = repeat([f"<span class='swatch'>{kit.img(52, 52)}</span>" for _ in range(kit.number(2, 5))])
    chosen = kit.number(0, 5)
    sizes = repeat(
        [
            f"<span class='{'on' if index == chosen else ''}'>{name}</span>"
            for index, name in enumerate(("XS", "S", "M", "L", "XL"))
        ]
    )
    old = f" <s class='muted' style='font-size:.6em;font-weight:400'>{kit.price()}</s>" if kit.maybe(0.4) else ""
    perks = repeat(
        [
            f"<div>{kit.icon(icon, 19)}{words}</div>"
            for icon, words in (
                ("truck", kit.ui("Free delivery")),
                ("check", kit.ui("In stock")),
                ("lock", kit.words(3)),
            )
        ]
    )
    return (
        f"<section class='info'><div class='small muted'>{kit.words(1)}</div><h1>{kit.words(4)}</h1><div"
        f" class='row small muted' style='gap:8px'>{kit.stars(16)}"
        f"{kit.number(12, 2000)} {kit.ui('Reviews')}</div><div class='cost'>{kit.price()}{old}</div><p"
        f" class='muted'>{kit.paragraph(2)}</p>"
        f"<b class='small'>{kit.ui('Colour')}</b><div class='row' style='gap:9px'>{swatches}</div><b"
        f" class='small'>{kit.ui('Size')}</b><div class='sizes row'>{sizes}</div>"
        f"<span class='button buy'>{kit.icon('cart', 19)}{kit.ui('Add to basket')}</span><div class='card"
        f" perks'>{perks}</div></section>"
    )


def _review(kit: Kit) -> str:
    name = kit.name()
    pics = (
        "<div class='pics'>" + repeat([f"<div>{kit.img(66, 66)}</div>" for _ in range(kit.number(1, 4))]) + "</div>"
        if kit.maybe(0.5)
        else ""
    )
    return (
        f"<article class='card'><div class='row' style='gap:11px'>{kit.avatar(name, 36)}<div class='grow'><b"
        f" class='small'>{name}</b>{kit.stars(13)}</div>"
        f"<span class='tiny muted'>{kit.text.date()}</span></div><p class='small'"
        f" style='margin-top:9px'>{kit.paragraph(2)}</p>{pics}</article>"
    )
