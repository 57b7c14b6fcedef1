"""A social network's feed."""

from datagen.browser.kit import Kit, repeat

_CSS = """
.frame{display:grid;grid-template-columns:250px minmax(0,600px) 320px;gap:28px;justify-content:center;padding:0 20px}
.left{position:sticky;top:0;padding:18px 0;height:100vh;display:flex;flex-direction:column;gap:4px}
.left a{display:flex;gap:14px;align-items:center;padding:10px 14px;border-radius:99px;font-size:1.08em}
.left a.on{font-weight:700;background:var(--soft);color:var(--accent)}
.feed{border-inline:var(--rule);min-height:100vh;padding-top:12px}
.stories{display:flex;gap:14px;overflow:hidden;padding:6px 12px 16px}
.story{width:66px;flex:none;text-align:center;font-size:.74em}
.ring{padding:3px;border-radius:50%;background:conic-gradient(#f59e0b,#ef4444,#ec4899,#8b5cf6,#f59e0b);display:grid;
 margin-bottom:5px}
.ring>span{border:3px solid var(--page)}
.post{margin-bottom:16px;overflow:hidden;background:var(--surface)}
.head{gap:11px;padding:13px 15px}
.words{padding:0 15px 12px}
.words a{color:var(--accent)}
.acts{gap:24px;padding:11px 15px;color:var(--muted)}
.acts span{display:flex;gap:7px;align-items:center;font-size:.9em}
.media{display:grid;gap:3px}
.media>div{overflow:hidden;position:relative}
.media.in{margin:0 15px;border-radius:14px;overflow:hidden;border:1px solid var(--line)}
.m1{aspect-ratio:var(--one)}.m2{grid-template-columns:1fr 1fr;aspect-ratio:16/9}.m3{grid-template-columns:2fr 1fr;
 grid-template-rows:1fr 1fr;aspect-ratio:16/10}
.m3>:first-child{grid-row:span 2}.m4{grid-template:1fr 1fr/1fr 1fr;aspect-ratio:4/3}
.more{position:absolute;inset:0;background:rgba(0,0,0,.55);display:grid;place-items:center;color:#fff;font-size:2em;
 font-weight:600}
.card.quote{margin:0 15px 13px;overflow:hidden}
.quote .pic{height:190px;overflow:hidden}
.side{padding:16px 0;display:grid;gap:16px;align-content:start}
.side .card{padding:15px 17px}
.who{gap:11px;padding:8px 0}
.play{position:absolute;left:50%;top:50%;translate:-50% -50%;width:62px;height:62px;border-radius:50%;
 background:rgba(0,0,0,.6);color:#fff;display:grid;place-items:center}
@media (max-width:1180px){.side{display:none}.frame{grid-template-columns:76px minmax(0,600px)}
 .left a span{display:none}}
@media (max-width:700px){.frame{grid-template-columns:minmax(0,1fr);padding:0}.left{display:none}
 .media.in{margin-inline:10px}}
.dock{display:none}
@media (max-width:700px){.dock{position:fixed;bottom:0;inset-inline:0;display:flex;justify-content:space-around;
 padding:13px;background:var(--surface);border-top:1px solid var(--line);z-index:9}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    cards = kit.maybe(0.5)
    rule = "0" if cards else "1px solid var(--line)"
    flat = "" if cards else ".post{border-bottom:1px solid var(--line);margin:0;background:none}"
    ratio = kit.pick(("1/1", "4/5", "4/3", "16/10"))
    num_posts = 2 + kit.height // 520
    posts = repeat([_post(kit, cards=cards) for _ in range(num_posts)])
    stories = _stories(kit) if kit.maybe(0.6) else ""
    return (
        f"<style>:root{{--rule:{rule};--one:{ratio}}}{_CSS}{flat}</style><div class='frame'>{_left(kit)}"
        f"<main class='feed'>{stories}{posts}</main>{_side(kit)}</div>{_dock(kit)}"
    )


def _left(kit: Kit) -> str:
    names = (
        ("home", "Home"),
        ("search", "Search"),
        ("bell", "Notifications"),
        ("mail", "Messages"),
        ("users", "Groups"),
        ("bookmark", "Save"),
        ("user", "Profile"),
        ("gear", "Settings"),
    )
    links = repeat(
        [
            f"<a class='{'on' if index == 0 else ''}'>{kit.icon(icon, 23)}<span>{kit.ui(name)}</span></a>"
            for index, (icon, name) in enumerate(names)
        ]
    )
    return f"<nav class='left'><a>{kit.logo(30)}</a>{links}</nav>"


def _stories(kit: Kit) -> str:
    people = [kit.name() for _ in range(9)]
    return (
        "<div class='stories'>"
        + repeat(
            [
                f"<div class='story'><div class='ring'>{kit.avatar(name, 60)}</div><div"
                f" class='ellipsis'>{name.split()[0]}</div></div>"
                for name in people
            ]
        )
        + "</div>"
    )


def _post(kit: Kit, *, cards: bool) -> str:
    author = kit.name()
    handle = f"@{author.split()[0].lower()}{kit.number(1, 99)}"
    head = (
        f"<div class='head row'>{kit.avatar(author, 42)}<div class='grow'><div class='strong ellipsis'>{author}</div>"
        f"<div class='small muted'>{handle} · {kit.number(1, 23)}h</div></div>{kit.icon('more')}</div>"
    )
    tags = repeat([f" <a>#{kit.text.noun()}</a>" for _ in range(kit.number(0, 3))])
    emoji = kit.pick(("", "", "🌊", "🎉 🎉", "❤️", "😂", "🔥", "☀️🏔️", "👏"))
    words = f"<p class='words'>{kit.paragraph(kit.number(1, 3))}{tags} {emoji}</p>"
    acts = (
        "<div class='acts row'>"
        + repeat(
            [
                f"<span{red}>{kit.icon(icon, 20, filled=bool(red))}{kit.count()}</span>"
                for icon, red in (("heart", kit.pick(("", " style='color:#e0245e'"))), ("comment", ""), ("share", ""))
            ]
        )
        + f"<span class='grow'></span>{kit.icon('bookmark', 20)}</div>"
    )
    return f"<article class='post {'card' if cards else ''}'>{head}{words}{_media(kit, cards=cards)}{acts}</article>"


def _media(kit: Kit, *, cards: bool) -> str:
    kind = kit.number(0, 7)
    inside = "" if cards and kit.maybe(0.7) else " in"
    if kind == 0:
        return ""
    if kind == 1:
        return (
            f"<div class='card quote'><div class='pic'>{kit.img(570, 190)}</div><div style='padding:12px 15px'>"
            "<div class='tiny muted'>"
            f"{kit.text.noun()}.org</div><div class='strong ellipsis'>{kit.headline()}</div></div></div>"
        )
    if kind in (2, 3):
        play = f"<span class='play'>{kit.icon('play', 28, filled=True)}</span>" if kit.maybe(0.35) else ""
        return f"<div class='media m1{inside}'><div>{kit.img(600, 520)}{play}</div></div>"
    num_pictures = {4: 2, 5: 3, 6: 4}[kind]
    more = f"<div class='more'>+{kit.number(2, 30)}</div>" if num_pictures == 4 and kit.maybe(0.5) else ""
    cells = [f"<div>{kit.img(300, 260)}{more if index == 3 else ''}</div>" for index in range(num_pictures)]
    return f"<div class='media m{num_pictures}{inside}'>{repeat(cells)}</div>"


def _side(kit: Kit) -> str:
    def person() -> str:
        name = kit.name()
        return (
            f"<div class='who row'>{kit.avatar(name, 40)}<div class='grow'><div class='strong ellipsis'>{name}</div>"
            f"<div class='small muted ellipsis'>{kit.words(2)}</div></div><span class='button"
            f" line'>{kit.ui('Follow')}</span></div>"
        )

    trends = repeat(
        [
            f"<div style='padding:7px 0'><div class='strong'>#{kit.text.noun()}</div><div class='tiny"
            f" muted'>{kit.count()}</div></div>"
            for _ in range(5)
        ]
    )
    return (
        f"<aside class='side'><div class='field'>{kit.icon('search', 17)}{kit.ui('Search')}</div>"
        f"<div class='card'><h3>{kit.ui('Trending')}</h3>{trends}</div><div class='card'><h3>{kit.ui('Friends')}</h3>"
        f"{repeat([person() for _ in range(4)])}</div></aside>"
    )


def _dock(kit: Kit) -> str:
    return (
        "<nav class='dock'>"
        + repeat([kit.icon(name, 24) for name in ("home", "search", "plus", "bell", "user")])
        + "</nav>"
    )
