"""A messenger: conversations, bubbles, pictures in them."""

from datagen.browser.kit import Kit, repeat

_CSS = """
body{height:100vh;overflow:hidden}
.app{display:grid;grid-template-columns:320px minmax(0,1fr);height:100vh}
.left{background:var(--surface);border-inline-end:1px solid var(--line);overflow:hidden;display:flex;
 flex-direction:column}
.left .bar{gap:12px;padding:13px 15px}
.talk{display:flex;gap:12px;padding:10px 15px;align-items:center}
.talk.on{background:var(--soft)}
.badge{background:var(--accent);color:var(--on-accent);border-radius:99px;min-width:20px;height:20px;font-size:.75em;
 display:grid;place-items:center;padding:0 6px;font-weight:700}
.right{display:flex;flex-direction:column;min-height:0;position:relative}
.head{gap:13px;padding:10px 18px;background:var(--surface);border-bottom:1px solid var(--line);z-index:2}
.wall{position:absolute;inset:0;z-index:0;overflow:hidden}
.stream{flex:1;min-height:0;display:flex;flex-direction:column;justify-content:flex-end;gap:8px;
 padding:16px clamp(14px,6%,110px);overflow:hidden;z-index:1}
.b{flex:none;max-width:min(72%,520px);align-self:flex-start;background:var(--surface);border-radius:var(--bub);
 padding:8px 13px;box-shadow:0 1px 1px #0002;position:relative}
.b.me{align-self:flex-end;background:var(--mine);color:var(--ink)}
.b.pic{padding:4px;overflow:hidden}
.b.pic .box{border-radius:calc(var(--bub) - 4px);overflow:hidden;position:relative}
.b .at{font-size:.7em;opacity:.7;text-align:end;margin-top:2px}
.stamp{position:absolute;right:9px;bottom:7px;background:#0009;color:#fff;border-radius:99px;font-size:.7em;
 padding:1px 8px}
.day{align-self:center;background:var(--raised);border-radius:99px;padding:2px 13px;font-size:.78em;color:var(--muted)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:3px}
.link{border-inline-start:3px solid var(--accent);background:#0000000f;border-radius:8px;overflow:hidden;
 margin-bottom:6px}
.foot{gap:14px;padding:11px 18px;background:var(--surface);border-top:1px solid var(--line);z-index:2;
 color:var(--muted)}
.wave{display:flex;gap:2px;align-items:center;height:26px}
.wave i{width:3px;border-radius:3px;background:currentColor;opacity:.75}
.react{position:absolute;bottom:-10px;inset-inline-end:10px;background:var(--surface);border-radius:99px;
 padding:0 6px;font-size:.8em;box-shadow:0 1px 3px #0004}
@media (max-width:760px){.app{grid-template-columns:minmax(0,1fr)}.left{display:none}}
"""


def draw(kit: Kit) -> str:
    """Return the page's body."""
    dark = kit.look.palette.dark
    mine = kit.pick(("var(--accent)", "#144d37" if dark else "#d9fdd3", "#2b5278" if dark else "#e3f2ff"))
    ink = "var(--on-accent)" if mine == "var(--accent)" else "var(--text)"
    style = f":root{{--mine:{mine};--ink:{ink};--bub:{kit.pick((8, 12, 18))}px}}"
    person = kit.name()
    head = (
        f"<header class='head row'>{kit.avatar(person, 40)}<div class='grow'><div class='strong'>{person}</div>"
        f"<div class='tiny muted'>{kit.ui('Online')}</div>"
        f"</div>{kit.icon('phone')}{kit.icon('video')}{kit.icon('more')}</header>"
    )
    messages = [_message(kit) for _ in range(4 + kit.height // 90)]
    messages.insert(len(messages) - kit.number(3, 6), f"<div class='day'>{kit.ui('Today')}</div>")
    foot = (
        f"<footer class='foot row'>{kit.icon('plus')}{kit.icon('smile')}<span class='field"
        f" grow'>{kit.ui('Write a message')}</span>"
        f"{kit.icon('mic')}{kit.icon('send')}</footer>"
    )
    return (
        f"<style>{style}{_CSS}</style><div class='app'>{_left(kit)}<section class='right'>{_wall(kit)}{head}"
        f"<div class='stream'>{repeat(messages)}</div>{foot}</section></div>"
    )


def _wall(kit: Kit) -> str:
    kind = kit.number(0, 4)
    if kind == 0:
        return f"<div class='wall'>{kit.img(900, 700)}</div>"
    if kind == 1:
        return (
            "<div class='wall' style='background:linear-gradient(160deg,color-mix(in srgb,var(--accent)"
            " 35%,var(--page)),color-mix(in srgb,var(--second) 30%,var(--page)))'></div>"
        )
    return "<div class='wall' style='background:var(--page)'></div>"


def _left(kit: Kit) -> str:
    rows = []
    for index in range(kit.height // 64 + 1):
        name = kit.name()
        badge = f"<span class='badge'>{kit.number(1, 30)}</span>" if kit.maybe(0.25) else ""
        rows.append(
            f"<div class='talk {'on' if index == 1 else ''}'>{kit.avatar(name, 46)}<div class='grow'><div class='row'>"
            f"<span class='strong grow ellipsis'>{name}</span><span class='tiny muted'>{kit.text.clock()}</span></div>"
            f"<div class='row'><span class='small muted grow ellipsis'>{_line(kit)}</span>{badge}</div></div></div>"
        )
    bar = (
        f"<div class='bar row'>{kit.icon('menu')}<span class='field"
        f" grow'>{kit.icon('search', 16)}{kit.ui('Search')}</span></div>"
    )
    return f"<aside class='left'>{bar}{repeat(rows)}</aside>"


def _line(kit: Kit) -> str:
    from datagen.browser.kit import esc

    return esc(kit.text.chat_line())


def _message(kit: Kit) -> str:
    me = "me" if kit.maybe(0.45) else ""
    at = kit.text.clock()
    kind = kit.number(0, 12)
    width = min(kit.width - 110, kit.pick((220, 280, 340)))
    if kind < 2:
        height = round(width * kit.pick((0.66, 0.75, 1.0, 1.25)))
        caption = f"<div style='padding:6px 8px 2px'>{_line(kit)}</div>" if kit.maybe(0.4) else ""
        return (
            f"<div class='b pic {me}'><div class='box'"
            f" style='width:{width}px;height:{height}px;max-width:100%'>{kit.img(width, height)}"
            f"<span class='stamp'>{at}</span></div>{caption}</div>"
        )
    if kind == 2:
        two = repeat(
            [
                f"<div style='height:{width // 2}px;overflow:hidden'>{kit.img(width / 2, width / 2)}</div>"
                for _ in range(4)
            ]
        )
        return f"<div class='b pic {me}'><div class='box two' style='width:{width}px'>{two}</div></div>"
    if kind == 3:
        bars = repeat([f"<i style='height:{kit.number(4, 26)}px'></i>" for _ in range(34)])
        return (
            f"<div class='b {me}'><div class='row' style='gap:11px'>{kit.icon('play', 24, filled=True)}<span"
            f" class='wave'>{bars}</span>"
            f"<span class='tiny'>0:{kit.number(10, 59)}</span></div></div>"
        )
    if kind == 4:
        return (
            f"<div class='b {me}'><div class='link'><div"
            f" style='height:120px;width:280px;max-width:100%;overflow:hidden'>{kit.img(280, 120)}</div>"
            f"<div style='padding:7px 10px;max-width:280px'><div class='strong small ellipsis'>{kit.headline()}"
            f"</div><div class='tiny ellipsis'>{kit.text.noun()}.com</div>"
            f"</div></div>{_line(kit)}<div class='at'>{at}</div></div>"
        )
    if kind == 5:
        side = "flex-end" if me else "flex-start"
        emoji = kit.pick(("😂", "👍", "🎉", "❤️", "🐈", "🙈", "🌻"))
        return f"<div style='align-self:{side};font-size:2.9em;line-height:1.1'>{emoji}</div>"
    react = f"<span class='react'>{kit.pick(('👍', '❤️', '😂', '😮'))}</span>" if kit.maybe(0.15) else ""
    emoji = kit.pick(("", "", "", " 😄", " 👍", " 🙏", " ☕"))
    return f"<div class='b {me}'>{_line(kit)}{emoji}<div class='at'>{at}</div>{react}</div>"
