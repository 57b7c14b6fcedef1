"""Results of a search engine, with pictures."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.bar{padding:18px 28px 0;gap:26px}
.bar .field{max-width:620px;border-radius:99px;background:var(--surface);box-shadow:0 1px 6px rgba(0,0,0,.18);
 color:var(--text);padding:.65em 1.1em}
.tabs{gap:24px;padding:14px 28px 0 calc(28px + var(--indent));border-bottom:1px solid var(--line);color:var(--muted);
 font-size:.93em;overflow:hidden}
.tabs span{padding-bottom:10px;display:flex;gap:6px;align-items:center;white-space:nowrap}
.tabs .on{color:var(--accent);box-shadow:inset 0 -3px 0 var(--accent)}
.wrap{display:grid;grid-template-columns:minmax(0,640px) minmax(0,360px);gap:56px;
 padding:16px 28px 40px calc(28px + var(--indent))}
.hit{margin-bottom:26px;display:flex;gap:18px}
.hit h3{font-size:1.28em;font-weight:400;color:var(--link);line-height:1.3;margin:3px 0}
.hit .site{gap:10px;font-size:.86em}
.hit .thumb{width:104px;height:104px;border-radius:10px;overflow:hidden;flex:none;align-self:center}
.strip{margin:4px 0 28px}
.strip h3{font-size:1.2em;font-weight:500;margin-bottom:10px}
.strip .line{display:flex;gap:6px;height:128px;overflow:hidden;border-radius:12px}
.strip .line img{height:100%;width:auto;object-fit:cover;flex:none}
.vid{display:grid;grid-template-columns:150px 1fr;gap:14px;margin-bottom:14px}
.vid .pic{position:relative;height:85px;border-radius:10px;overflow:hidden}
.vid .pic span{position:absolute;right:6px;bottom:6px;background:#000c;color:#fff;border-radius:4px;padding:0 5px;
 font-size:.75em}
.panel{overflow:hidden;align-self:start}
.panel .mosaic{display:grid;grid-template-columns:2fr 1fr;grid-template-rows:100px 100px;gap:2px}
.panel .mosaic>:first-child{grid-row:span 2}
.panel .in{padding:16px 18px}
.panel dl{display:grid;gap:7px;margin-top:12px;font-size:.92em}
.panel dt{display:inline;font-weight:700}.panel dd{display:inline}
:root{--indent:clamp(0px,9vw,150px);--link:#1a0dab}
@media (prefers-color-scheme:dark){:root{}}
@media (max-width:1020px){.wrap{grid-template-columns:minmax(0,1fr)}.panel{order:-1;max-width:640px}}
@media (max-width:640px){:root{--indent:0px}.bar{padding:14px 16px 0;gap:12px}.tabs{padding:12px 16px 0}
 .wrap{padding:14px 16px}
 .panel{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    query = kit.words(2).lower()
    link = "#8ab4f8" if kit.look.palette.dark else kit.pick(("#1a0dab", "#1558d6", "#174ea6"))
    names = (
        ("search", "All"),
        ("image", "Images"),
        ("video", "Videos"),
        ("file", "News"),
        ("pin", "Maps"),
        ("cart", "Shopping"),
    )
    tabs = repeat(
        [
            f"<span class='{'on' if index == 0 else ''}'>{kit.icon(icon, 16)}{kit.ui(name)}</span>"
            for index, (icon, name) in enumerate(names)
        ]
    )
    tools = "" if kit.narrow else f"<span class='grow'></span>{kit.icon('grid')}{kit.avatar(kit.name(), 32)}"
    bar = (
        f"<div class='bar row'>{kit.logo(30)}<div class='field grow'>{kit.icon('search', 18)}<span"
        f" class='grow'>{query}</span>"
        f"{kit.icon('x', 16)}{kit.icon('mic', 18)}</div>{tools}</div>"
    )
    results = [_hit(kit) for _ in range(3 + kit.height // 150)]
    results.insert(kit.number(1, 3), _strip(kit))
    if kit.maybe(0.7):
        results.insert(kit.number(2, 5), _videos(kit))
    panel = _panel(kit) if kit.maybe(0.75) else ""
    count = f"<p class='small muted' style='margin-bottom:14px'>{kit.number(2, 900)} 000 · 0.{kit.number(18, 79)} s</p>"
    return (
        f"<style>{_CSS}:root{{--link:{link}}}</style>{bar}<div class='tabs row'>{tabs}</div>"
        f"<div class='wrap'><main>{count}{repeat(results)}</main>{panel}</div>"
    )


def _hit(kit: Kit) -> str:
    site = kit.text.noun() + kit.text.noun() + kit.pick((".org", ".com", ".net", ".eu", ".info"))
    initial = kit.text.noun()[0].upper()
    mark = (
        f"<span class='avatar' style='width:26px;height:26px;font-size:12px;background:{kit.colour()}'>{initial}</span>"
    )
    thumb = f"<div class='thumb'>{kit.img(104, 104)}</div>" if kit.maybe(0.3) else ""
    return (
        f"<div class='hit'><div class='grow'><div class='site row'>{mark}<div><div>{kit.words(2)}</div>"
        f"<div class='muted tiny'>https://{site} &rsaquo; {kit.text.noun()}</div></div></div>"
        f"<h3 class='ellipsis'>{kit.headline()}</h3><p class='small clamp'><span"
        f" class='muted'>{kit.text.date()} — </span>"
        f"{kit.paragraph(2)}</p></div>{thumb}</div>"
    )


def _strip(kit: Kit) -> str:
    sizes = [kit.pick((96, 128, 170, 190, 200)) for _ in range(7)]
    pictures = repeat([kit.img(width, 128, css="", style=f"width:{width}px") for width in sizes])
    return f"<div class='strip'><h3>{kit.ui('Images')}</h3><div class='line'>{pictures}</div></div>"


def _videos(kit: Kit) -> str:
    rows = repeat(
        [
            f"<div class='vid'><div class='pic'>{kit.img(150, 85)}<span>{kit.number(1, 50)}:{kit.number(10, 60)}"
            "</span></div>"
            f"<div><div style='color:var(--link)' class='clamp'>{kit.headline()}</div><div class='tiny"
            f" muted'>{kit.name()} · "
            f"{kit.text.date()}</div></div></div>"
            for _ in range(kit.number(2, 4))
        ]
    )
    return f"<div class='strip'><h3>{kit.ui('Videos')}</h3>{rows}</div>"


def _panel(kit: Kit) -> str:
    facts = repeat([f"<div><dt>{kit.words(1)}: </dt><dd>{kit.words(2)}</dd></div>" for _ in range(kit.number(3, 6))])
    mosaic = kit.img(240, 202) + kit.img(120, 100) + kit.img(120, 100)
    return (
        f"<aside class='card panel'><div class='mosaic'>{mosaic}</div><div class='in'><h2>{kit.words(2)}</h2>"
        f"<div class='muted small'>{kit.words(2)}</div><p style='margin-top:10px'>{kit.paragraph(3)}</p>"
        f"<dl>{facts}</dl></div></aside>"
    )
