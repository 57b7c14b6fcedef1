"""A magazine or newspaper article."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.top{position:sticky;top:0;z-index:5;background:var(--surface);border-bottom:1px solid var(--line);padding:0 24px;
 height:56px;gap:22px}
.brand{font:800 1.35em/1 var(--brand);letter-spacing:-.02em}
.top nav{display:flex;gap:18px;overflow:hidden;font-size:.93em}
.wrap{display:grid;grid-template-columns:minmax(0,1fr) 300px;gap:44px;max-width:1120px;margin:0 auto;padding:28px 24px}
.kicker{color:var(--accent);font-weight:700;font-size:.82em;letter-spacing:.06em;text-transform:uppercase}
h1{font:var(--weight) 2.5em/1.14 var(--brand);letter-spacing:-.015em;margin:10px 0 14px;text-wrap:balance}
.lede{font-size:1.2em;line-height:1.45;color:var(--muted);margin-bottom:18px}
.by{gap:12px;margin-bottom:22px}
.hero{border-radius:var(--r);overflow:hidden;position:relative;aspect-ratio:16/9}
.hero .tag{position:absolute;left:14px;bottom:12px;background:rgba(0,0,0,.62);color:#fff;border-radius:6px;
 padding:3px 9px;font-size:.8em}
figcaption{color:var(--muted);font-size:.82em;margin:8px 0 22px}
.body p{font:1.14em/1.68 var(--read);margin-bottom:1.05em}
.body h2{font:700 1.45em/1.25 var(--brand);margin:1.2em 0 .5em}
.drop p:first-of-type::first-letter{float:left;font:700 3.5em/.82 var(--brand);padding:.06em .1em 0 0;
 color:var(--accent)}
blockquote{border-inline-start:4px solid var(--accent);padding:4px 0 4px 20px;font:italic 1.34em/1.4 var(--read);
 margin:1.1em 0}
.inset{float:right;width:46%;margin:6px 0 12px 24px}
.inset .box{aspect-ratio:4/3;border-radius:var(--r);overflow:hidden}
aside h3{font-size:.95em;padding-bottom:8px;border-bottom:2px solid var(--text);margin-bottom:12px}
.most{display:grid;gap:14px}
.most a{display:grid;grid-template-columns:1fr 84px;gap:12px;font-weight:600;line-height:1.3}
.most .pic{width:84px;height:64px;border-radius:min(var(--r),8px);overflow:hidden}
.letter{margin-top:26px;padding:20px;background:var(--soft);border-radius:var(--r)}
@media (max-width:900px){.wrap{grid-template-columns:minmax(0,1fr);padding:20px 18px}aside{display:none}
 h1{font-size:1.9em}}
@media (max-width:640px){.top nav{display:none}.inset{float:none;width:100%;margin:0 0 16px}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    serif_heads = kit.maybe(0.6)
    serif_body = kit.maybe(0.6)
    fonts = (
        f":root{{--brand:var(--{'serif' if serif_heads else 'sans'});--read:var(--{'serif' if serif_body else 'sans'});"
        f"--weight:{kit.pick((600, 700, 800))}}}"
    )
    return f"<style>{fonts}{_CSS}</style>{_top(kit)}<div class='wrap'><main>{_story(kit)}</main>{_side(kit)}</div>"


def _top(kit: Kit) -> str:
    sections = ("World", "News", "Culture", "Science", "Sport", "Travel", "Opinion")
    links = repeat([f"<a>{kit.ui(name)}</a>" for name in sections])
    title = f"{kit.pick(('The', '')) if kit.language == 'en' else ''} {kit.words(1)}".strip()
    button = f"<a class='button'>{kit.ui('Subscribe')}</a>"
    return (
        f"<header class='top row'>{kit.logo(24) if kit.maybe(0.5) else kit.icon('menu')}<span"
        f" class='brand'>{title}</span>"
        f"<nav class='grow'>{links}</nav><span class='grow'></span>{kit.icon('search')}{button}</header>"
    )


def _story(kit: Kit) -> str:
    author = kit.name()
    head = (
        f"<div class='kicker'>{kit.ui(kit.pick(('Culture', 'Science', 'Travel', 'World')))}</div>"
        f"<h1>{kit.headline()}</h1>"
        f"<p class='lede'>{kit.paragraph(1)}</p><div class='by row'>{kit.avatar(author, 40)}<div class='grow'>"
        f"<div class='strong'>{author}</div><div class='small muted'>{kit.text.date()} · {kit.number(3, 14)} "
        f"{kit.ui('min read')}</div></div>{kit.icon('bookmark')}{kit.icon('share')}</div>"
    )
    tag = f"<span class='tag'>{kit.ui('Photo')}: {kit.name()}</span>" if kit.maybe(0.5) else ""
    hero = f"<figure><div class='hero'>{kit.img(720, 405)}{tag}</div><figcaption>{kit.sentence()}</figcaption></figure>"
    parts = [f"<p>{kit.paragraph(kit.number(3, 6))}</p>"]
    if kit.maybe(0.5):
        parts.append(
            f"<figure class='inset'><div class='box'>{kit.img(330, 248)}</div><figcaption>{kit.sentence()}"
            "</figcaption></figure>"
        )
    parts.append(f"<p>{kit.paragraph(kit.number(3, 6))}</p><h2>{kit.words(4)}</h2><p>{kit.paragraph(4)}</p>")
    parts.append(f"<blockquote>{kit.sentence()}</blockquote>")
    if kit.maybe(0.6):
        parts.append(
            f"<figure><div class='hero'>{kit.img(720, 405)}</div><figcaption>{kit.sentence()}</figcaption></figure>"
        )
    tall = max(2, (kit.height - 600) // 220)
    parts += [f"<p>{kit.paragraph(kit.number(3, 6))}</p>" for _ in range(tall)]
    order = hero + head if kit.maybe(0.3) else head + hero
    return f"{order}<div class='body {'drop' if kit.maybe(0.3) else ''}'>{repeat(parts)}</div>"


def _side(kit: Kit) -> str:
    items = repeat(
        [
            f"<a><span class='clamp' style='--lines:3'>{kit.headline()}</span><span class='pic'>{kit.img(84, 64)}"
            "</span></a>"
            for _ in range(kit.number(4, 7))
        ]
    )
    letter = (
        f"<div class='letter'><h3 style='border:0;padding:0;margin:0 0 6px'>{kit.words(3)}</h3>"
        f"<p class='small muted'>{kit.sentence()}</p><br><a class='button'>{kit.ui('Subscribe')}</a></div>"
    )
    return f"<aside><h3>{kit.ui('Most read')}</h3><div class='most'>{items}</div>{letter}</aside>"
