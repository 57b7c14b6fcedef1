"""A mail client: folders, messages, an open message with a picture."""

from datagen.browser.kit import Kit, repeat

_CSS = """
body{height:100vh;overflow:hidden;display:flex;flex-direction:column}
.top{gap:18px;padding:10px 18px;border-bottom:1px solid var(--line);background:var(--surface)}
.top .field{max-width:680px}
.main{flex:1;min-height:0;display:grid;grid-template-columns:210px minmax(280px,380px) minmax(0,1fr)}
.folders{padding:14px 10px;display:flex;flex-direction:column;gap:2px;overflow:hidden}
.folders a{display:flex;gap:12px;align-items:center;padding:8px 12px;border-radius:min(var(--r),10px);font-size:.95em}
.folders a.on{background:var(--soft);color:var(--accent);font-weight:600}
.list{border-inline:1px solid var(--line);overflow:hidden;background:var(--surface)}
.mail{display:flex;gap:11px;padding:12px 15px;border-bottom:1px solid var(--line)}
.mail.on{background:var(--soft)}
.mail.new .who,.mail.new .subject{font-weight:700}
.read{padding:22px 30px;overflow:hidden}
.read h1{font-size:1.5em;margin-bottom:16px}
.text p{margin-bottom:1em;max-width:720px}
.shots{display:flex;gap:12px;margin:16px 0;flex-wrap:wrap}
.shots figure{width:200px;overflow:hidden}
.shots .pic{height:132px;overflow:hidden}
.news{max-width:640px;overflow:hidden;margin:6px 0 18px}
.news .pic{height:250px;position:relative;overflow:hidden}
.news h2{position:absolute;left:24px;bottom:18px;color:#fff;font-size:1.9em;text-shadow:0 2px 10px #000a}
.news .in{padding:20px 24px}
.three{display:grid;grid-template-columns:repeat(3,1fr);gap:12px;margin-top:16px}
.three .pic2{height:96px;border-radius:8px;overflow:hidden;margin-bottom:6px}
@media (max-width:1060px){.main{grid-template-columns:64px minmax(220px,320px) minmax(0,1fr)}
 .folders a span{display:none}}
@media (max-width:760px){.main{grid-template-columns:minmax(0,1fr)}.folders,.read{display:none}
 .phone .list{display:none}.phone .read{display:block;padding:18px}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    phone = "phone" if kit.maybe(0.5) else ""
    tools = f"{kit.icon('gear')}{kit.icon('bell')}{kit.avatar(kit.name(), 32)}"
    top = (
        f"<header class='top row'>{kit.icon('menu')}{kit.logo()}<div class='field"
        f" grow'>{kit.icon('search', 17)}{kit.ui('Search')}"
        f"</div><span class='grow'></span>{tools}</header>"
    )
    return f"<style>{_CSS}</style>{top}<div class='main {phone}'>{_folders(kit)}{_list(kit)}{_message(kit)}</div>"


def _folders(kit: Kit) -> str:
    names = (
        ("inbox", "Inbox"),
        ("star", "Starred"),
        ("send", "Sent"),
        ("file", "Drafts"),
        ("archive", "All"),
        ("trash", "Bin"),
    )
    rows = repeat(
        [
            f"<a class='{'on' if index == 0 else ''}'>{kit.icon(icon, 18)}<span class='grow'>{kit.ui(name)}</span>"
            f"<span class='small'>{kit.number(2, 300) if kit.maybe(0.5) else ''}</span></a>"
            for index, (icon, name) in enumerate(names)
        ]
    )
    tags = repeat(
        [
            f"<a><i class='round' style='width:11px;height:11px;margin-inline:3px;background:{kit.colour()}'></i>"
            f"<span>{kit.words(1)}</span></a>"
            for _ in range(4)
        ]
    )
    compose = f"<div class='button' style='margin:0 2px 14px'>{kit.icon('edit', 17)}</div>"
    return (
        f"<nav class='folders'>{compose}{rows}<hr style='border:0;border-top:1px solid"
        f" var(--line);width:90%'>{tags}</nav>"
    )


def _list(kit: Kit) -> str:
    rows = []
    for index in range(kit.height // 84 + 2):
        name = kit.name()
        when = kit.text.clock() if index < 6 else kit.text.date().rsplit(" ", 1)[0]
        clip = kit.icon("paperclip", 14) if kit.maybe(0.25) else ""
        state = f"{'on' if index == 1 else ''} {'new' if kit.maybe(0.3) else ''}"
        rows.append(
            f"<div class='mail {state}'>{kit.avatar(name, 38)}<div class='grow'><div class='row'><span class='who"
            " grow ellipsis'>"
            f"{name}</span>{clip}<span class='tiny muted'>{when}</span></div><div class='subject small"
            f" ellipsis'>{kit.words(4)}</div>"
            f"<div class='small muted ellipsis'>{kit.sentence()}</div></div></div>"
        )
    return f"<section class='list'>{repeat(rows)}</section>"


def _message(kit: Kit) -> str:
    author = kit.name()
    head = (
        f"<h1>{kit.headline()}</h1><div class='row'"
        f" style='gap:12px;margin-bottom:18px'>{kit.avatar(author, 42)}<div class='grow'>"
        f"<div class='strong'>{author}</div><div class='small muted'>{kit.text.noun()}@{kit.text.noun()}.org"
        "</div></div>"
        f"<span class='small muted'>{kit.text.clock()}"
        f"</span>{kit.icon('star', 18)}{kit.icon('reply', 18)}{kit.icon('more', 18)}</div>"
    )
    body = _newsletter(kit) if kit.maybe(0.5) else _letter(kit)
    foot = (
        "<div class='row' style='gap:10px;margin-top:12px'><span"
        f" class='button'>{kit.icon('reply', 16)}{kit.ui('Reply')}</span>"
        f"<span class='button quiet'>{kit.ui('Forward')}</span></div>"
    )
    return f"<article class='read'>{head}{body}{foot}</article>"


def _letter(kit: Kit) -> str:
    shots = repeat(
        [
            f"<figure class='card'><div class='pic'>{kit.img(200, 132)}</div><div class='row small'"
            " style='padding:8px 10px;gap:8px'>"
            f"{kit.icon('image', 16)}<span class='grow ellipsis'>{kit.text.noun()}-{kit.number(1000, 9999)}.jpg"
            "</span></div></figure>"
            for _ in range(kit.number(1, 5))
        ]
    )
    paragraphs = repeat([f"<p>{kit.paragraph(kit.number(1, 4))}</p>" for _ in range(kit.number(2, 5))])
    inline = kit.img(520, 320, css="", style="max-width:100%;width:520px;margin-bottom:14px") if kit.maybe(0.5) else ""
    return f"<div class='text'>{paragraphs}{inline}</div><div class='shots'>{shots}</div>"


def _newsletter(kit: Kit) -> str:
    three = repeat(
        [
            f"<div><div class='pic2'>{kit.img(190, 96)}</div><div class='strong small clamp'>{kit.words(3)}</div>"
            f"<div class='tiny muted'>{kit.price()}</div></div>"
            for _ in range(3)
        ]
    )
    return (
        f"<div class='card news'><div class='pic'>{kit.img(640, 250)}<h2>{kit.words(3)}</h2></div><div"
        f" class='in'><p>{kit.paragraph(2)}</p>"
        f"<div class='three'>{three}</div><br><span class='button'>{kit.ui('Buy now')}</span></div></div>"
    )
