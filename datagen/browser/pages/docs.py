"""Documentation of a programming library: prose, code, tables, a screenshot-like figure now and then."""

from datagen.browser.kit import Kit, esc, repeat

_CSS = """
.top{position:sticky;top:0;z-index:4;gap:20px;padding:0 24px;height:56px;background:var(--surface);
 border-bottom:1px solid var(--line)}
.wrap{display:grid;grid-template-columns:250px minmax(0,1fr) 210px;max-width:1440px;margin:0 auto}
.nav{padding:22px 18px;border-inline-end:1px solid var(--line);font-size:.93em;min-height:calc(100vh - 56px)}
.nav h4{margin:14px 0 6px;font-size:.86em}
.nav a{display:block;padding:4px 10px;color:var(--muted);border-radius:6px}
.nav a.on{background:var(--soft);color:var(--accent);font-weight:600}
main{padding:26px 44px 60px;min-width:0}
h1{font-size:2.1em;margin:8px 0 14px}
h2{font-size:1.4em;margin:28px 0 10px;padding-top:18px;border-top:1px solid var(--line)}
main p{margin-bottom:1em;line-height:1.65;max-width:76ch}
code{font:.88em var(--mono);background:var(--raised);border-radius:4px;padding:.12em .36em}
pre{margin:0 0 1.2em;padding:14px 18px;border-radius:min(var(--r),10px);background:var(--pre);color:var(--ink);
 font:.86em/1.6 var(--mono);overflow:hidden;border:1px solid var(--line);
 direction:ltr;text-align:left}
.keyword{color:var(--k)}.string{color:var(--s)}.number{color:var(--n)}.comment{color:var(--cm);font-style:italic}
 .function{color:var(--f)}.type{color:var(--t)}
.note{border-inline-start:4px solid var(--tone);background:color-mix(in srgb,var(--tone) 12%,var(--surface));
 padding:12px 16px;border-radius:0 8px 8px 0;margin-bottom:1.2em}
table{width:100%;margin-bottom:1.2em;font-size:.93em}
td,th{border:1px solid var(--line);padding:7px 11px;text-align:start}
th{background:var(--raised)}
figure{margin:0 0 1.2em;overflow:hidden}
figure .pic{overflow:hidden;border-radius:var(--r);border:1px solid var(--line)}
figcaption{font-size:.86em;color:var(--muted);margin-top:7px;text-align:center}
.toc{padding:26px 18px;font-size:.86em}
.toc a{display:block;padding:3px 10px;border-inline-start:2px solid var(--line);color:var(--muted)}
.toc a.on{border-color:var(--accent);color:var(--accent)}
@media (max-width:1100px){.toc{display:none}.wrap{grid-template-columns:220px minmax(0,1fr)}}
@media (max-width:760px){.nav{display:none}.wrap{grid-template-columns:minmax(0,1fr)}main{padding:18px}
 h1{font-size:1.6em}}
"""
_CODE = (
    "--pre:#f6f8fa;--ink:#24292f;--k:#cf222e;--s:#0a3069;--n:#0550ae;--cm:#6e7781;--f:#8250df;--t:#953800",
    "--pre:#0d1117;--ink:#e6edf3;--k:#ff7b72;--s:#a5d6ff;--n:#79c0ff;--cm:#8b949e;--f:#d2a8ff;--t:#ffa657",
    "--pre:#282a36;--ink:#f8f8f2;--k:#ff79c6;--s:#f1fa8c;--n:#bd93f9;--cm:#6272a4;--f:#50fa7b;--t:#8be9fd",
)


def draw(kit: Kit) -> str:
    """Return the page's body."""
    colours = _CODE[1 + kit.number(0, 2)] if kit.look.palette.dark else kit.pick(_CODE)
    name = kit.text.noun()
    links = repeat([f"<span class='small'>{kit.ui(label)}</span>" for label in ("Overview", "Reports", "News")])
    top = (
        f"<header class='top row'>{kit.logo()}<b>{esc(name)}</b><span class='chip"
        f" tiny'>v{kit.number(0, 9)}.{kit.number(0, 20)}</span>"
        f"<span class='grow'></span>{'' if kit.narrow else links}<span class='field'"
        f" style='min-width:120px'>{kit.icon('search', 15)}{kit.ui('Search')}</span>"
        f"{kit.icon('moon' if not kit.look.palette.dark else 'sun', 18)}</header>"
    )
    sections = repeat([_section(kit, index) for index in range(2 + kit.height // 360)])
    intro = (
        f"<div class='small muted'>{esc(name)} &rsaquo; {kit.words(1)}</div><h1>{kit.words(3)}</h1>"
        f"<p>{kit.paragraph(3)}</p>{_code(kit, kit.number(6, 14))}"
    )
    return (
        f"<style>:root{{{colours}}}{_CSS}</style>{top}<div class='wrap'>{_nav(kit)}<main>{intro}{sections}"
        f"</main>{_toc(kit)}</div>"
    )


def _nav(kit: Kit) -> str:
    groups = []
    for group in range(4):
        links = repeat(
            [f"<a class='{'on' if (group, i) == (0, 2) else ''}'>{kit.words(2)}</a>" for i in range(kit.number(3, 8))]
        )
        groups.append(f"<h4>{kit.words(1)}</h4>{links}")
    return f"<nav class='nav'>{repeat(groups)}</nav>"


def _toc(kit: Kit) -> str:
    links = repeat([f"<a class='{'on' if i == 1 else ''}'>{kit.words(2)}</a>" for i in range(kit.number(4, 10))])
    return f"<aside class='toc'><b>{kit.ui('Contents')}</b><br><br>{links}</aside>"


def _section(kit: Kit, index: int) -> str:
    parts = [
        f"<h2>{kit.words(3)}</h2><p>{kit.paragraph(2)} <code>{kit.text.verb()}_{kit.text.noun()}()</code>"
        f" {kit.sentence()}</p>"
    ]
    kind = (index + kit.number(0, 2)) % 4
    if kind == 0:
        parts.append(_code(kit, kit.number(5, 16)))
    elif kind == 1:
        width = kit.pick((420, 560, 680))
        picture = kit.img(width, width * 0.56, css="", style="width:100%")
        parts.append(
            f"<figure style='max-width:{width}px'><div class='pic'>{picture}</div><figcaption>{kit.sentence()}"
            "</figcaption></figure>"
        )
    elif kind == 2:
        rows = repeat(
            [
                f"<tr><td><code>{kit.text.noun()}_{kit.text.noun()}</code></td>"
                f"<td>{kit.pick(('int', 'str', 'bool', 'float'))}</td><td>{kit.sentence()}</td></tr>"
                for _ in range(4)
            ]
        )
        parts.append(
            f"<table><tr><th>{kit.words(1)}</th><th>{kit.words(1)}</th><th>{kit.words(1)}</th></tr>{rows}</table>"
        )
    else:
        tone = kit.pick(("#3b82f6", "#f59e0b", "#10b981", "#ef4444"))
        parts.append(f"<div class='note' style='--tone:{tone}'><b>{kit.words(2)}</b><br>{kit.paragraph(2)}</div>")
    return repeat(parts)


def _code(kit: Kit, num_lines: int) -> str:
    lines = kit.materials.code(num_lines=num_lines + 6).lines
    first = min(4, max(0, len(lines) - num_lines))
    shown = lines[first : first + num_lines]
    text = "\n".join("".join(f"<span class='{kind}'>{esc(word)}</span>" for word, kind in line) for line in shown)
    return f"<pre>{text}</pre>"
