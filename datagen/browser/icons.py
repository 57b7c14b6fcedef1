"""Line icons, drawn on a 24 x 24 grid; used as inline SVG in the colour of the text around them."""

_PATHS = {
    "archive": "M3 5h18v4H3zM5 9v10h14V9M10 13h4",
    "arrow-left": "M20 12H5M11 6l-6 6 6 6",
    "arrow-right": "M4 12h15M13 6l6 6-6 6",
    "arrow-up": "M12 20V5M6 11l6-6 6 6",
    "bars": "M5 20V11M12 20V4M19 20v-6",
    "bell": "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4",
    "bolt": "M13 2L5 14h6l-1 8 8-12h-6z",
    "bookmark": "M6 3h12v18l-6-4-6 4z",
    "calendar": "M4 6h16v15H4zM4 10h16M8 3v5M16 3v5",
    "camera": "M3 8h4l2-3h6l2 3h4v11H3zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
    "cart": "M3 4h3l2.5 11h10L21 7H7M9 20h.01M17 20h.01",
    "check": "M4 12.5l5 5L20 6.5",
    "chevron-down": "M6 9l6 6 6-6",
    "chevron-left": "M15 5l-7 7 7 7",
    "chevron-right": "M9 5l7 7-7 7",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2",
    "cloud": "M7 19a4.5 4.5 0 0 1-.5-9A6 6 0 0 1 18 9a5 5 0 0 1 0 10z",
    "code": "M8 7l-5 5 5 5M16 7l5 5-5 5",
    "comment": "M4 5h16v11H10l-5 4v-4H4z",
    "download": "M12 4v11M7 10.5l5 5 5-5M4 20h16",
    "edit": "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
    "eye": "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
    "file": "M6 3h8l4 4v14H6zM14 3v5h4M9 13h6M9 17h6",
    "filter": "M3 5h18l-7 8v6l-4 2v-8z",
    "folder": "M3 6h6l2 2h10v11H3z",
    "gear": "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M5 19l3-3M16 8l3-3",
    "globe": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
    "grid": "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
    "heart": "M12 20S4 15 4 9a4 4 0 0 1 8-1.5A4 4 0 0 1 20 9c0 6-8 11-8 11",
    "home": "M3 11l9-8 9 8M6 9v11h12V9M10 20v-6h4v6",
    "image": "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
    "inbox": "M4 13l3-8h10l3 8v6H4zM4 13h5l1 2h4l1-2h5",
    "link": "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    "list": "M8 6h13M8 12h13M8 18h13M4 6h.01M4 12h.01M4 18h.01",
    "lock": "M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3",
    "mail": "M3 5h18v14H3zM3 7l9 6 9-6",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "mic": "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M5 11a7 7 0 0 0 14 0M12 18v3",
    "minus": "M5 12h14",
    "moon": "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "paperclip": "M20 11l-8 8a5 5 0 0 1-7-7l9-9a3.5 3.5 0 0 1 5 5l-9 9a2 2 0 0 1-3-3l8-8",
    "pause": "M8 5v14M16 5v14",
    "phone": "M5 3h4l2 5-3 2a12 12 0 0 0 6 6l2-3 5 2v4a2 2 0 0 1-2 2A17 17 0 0 1 3 5a2 2 0 0 1 2-2",
    "pin": "M12 21s7-6.5 7-12a7 7 0 1 0-14 0c0 5.5 7 12 7 12M12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
    "play": "M7 4l13 8-13 8z",
    "plus": "M12 5v14M5 12h14",
    "reply": "M10 6l-6 6 6 6M4 12h10a6 6 0 0 1 6 6",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l5 5",
    "send": "M4 4l17 8-17 8 3-8zM7 12h14",
    "share": "M12 15V4M8 8l4-4 4 4M5 12v8h14v-8",
    "shuffle": "M3 7h4l9 10h5M3 17h4l3-3M13 10l3-3h5M18 4l3 3-3 3M18 14l3 3-3 3",
    "skip": "M6 5l10 7-10 7zM19 5v14",
    "smile": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 14c1 2 2 3 4 3s3-1 4-3M9 9h.01M15 9h.01",
    "star": "M12 3l2.8 5.8 6.2.9-4.5 4.4 1 6.2L12 17.4 6.5 20.3l1-6.2L3 9.7l6.2-.9z",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
    "tag": "M3 4h9l9 9-8 8-9-9zM8 8h.01",
    "trash": "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6",
    "truck": "M2 6h12v10H2zM14 10h4l4 3v3h-8M7 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4M18 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
    "user": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c0-4 4-6 8-6s8 2 8 6",
    "users": (
        "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2 20c0-4 3-5.5 7-5.5s7 1.5 7 5.5M16 5a3.5 3.5 0 0 1 0 7M18"
        " 15c3 .5 4 2 4 5"
    ),
    "video": "M3 6h12v12H3zM15 11l6-4v10l-6-4",
    "volume": "M4 9h4l5-4v14l-5-4H4zM16 9a4 4 0 0 1 0 6M18.5 6a8 8 0 0 1 0 12",
    "x": "M5 5l14 14M19 5L5 19",
}

NAMES = tuple(_PATHS)


def icon(name: str, size: float = 20, *, filled: bool = False, stroke: float = 1.8) -> str:
    """Return an icon as SVG, `size` CSS pixels a side. Raises: KeyError: no such icon."""
    fill = "currentColor" if filled else "none"
    return (
        f'<svg width="{size:g}" height="{size:g}" viewBox="0 0 24 24" fill="{fill}" stroke="currentColor" '
        f'stroke-width="{stroke:g}" stroke-linecap="round" stroke-linejoin="round" style="flex:none">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )
