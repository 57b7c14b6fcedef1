"""Commands that were never run and what they printed, in spans for terminals to colour."""

import re
from collections.abc import Callable

from datagen.texts import MONTHS, TextBank, gerund, past, plural

Span = tuple[str, str]
"""Text and style: `plain`, `dim`, `bold`, a colour, `bold_` and a colour, or `on_` and a colour for a background."""
Row = list[Span]
Command = Callable[[TextBank], tuple[str, list[Row]]]
"""Returns what was typed and what was printed."""

_STYLE = re.compile(r"<([a-z_]+)>")
_ENDINGS = ("py", "md", "toml", "json", "txt", "rs", "go", "sh", "csv", "log", "png", "yml")
_LEVELS = ("<green>INFO ", "<green>INFO ", "<dim>DEBUG", "<yellow>WARN ", "<red>ERROR")
_WIDTH = 79
"""Columns that programs which rule lines across believe they have."""


def run(text: TextBank) -> tuple[str, list[Row]]:
    """Return a command and its output."""
    return text.pick(_COMMANDS)(text)


def styled(markup: str) -> Row:
    """Return the spans of `plain words <green>green words <plain>plain words`."""
    first, *rest = _STYLE.split(markup)
    spans = [(first, "plain"), *((words, style) for style, words in zip(rest[::2], rest[1::2], strict=True))]
    return [span for span in spans if span[0]]


def stamp(text: TextBank) -> str:
    """Return a moment as `ls` shows it."""
    return f"{text.pick(MONTHS)[:3]} {text.number(1, 29):>2} {text.clock():>5}"


def _file(text: TextBank) -> str:
    return f"{text.noun()}{text.pick(['', '_' + text.noun()])}.{text.pick(_ENDINGS)}"


def _list_long(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled(f"total {text.number(8, 900)}")]
    user = text.first_name().lower()
    for _ in range(text.number(4, 14)):
        mode, name = {
            0: ("drwxr-xr-x", f"<bold_blue>{text.noun()}"),
            1: ("drwxr-xr-x", f"<bold_blue>.{text.noun()}"),
            2: ("-rwxr-xr-x", f"<bold_green>{text.verb()}.sh"),
        }.get(text.number(0, 6), ("-rw-r--r--", _file(text)))
        size = text.number(60, 900_000)
        rows.append(styled(f"{mode} {text.number(1, 9):>2} {user} staff {size:>8} {stamp(text)} {name}"))
    return text.pick(["ls -la", "ls -l", "ll", f"ls -l {text.noun()}/"]), rows


def _list(text: TextBank) -> tuple[str, list[Row]]:
    rows = []
    for _ in range(text.number(1, 5)):
        names = [text.pick([f"<bold_blue>{text.noun():<20}", f"<plain>{_file(text):<20}"]) for _ in range(4)]
        rows.append(styled(" ".join(names)))
    return "ls", rows


def _git_status(text: TextBank) -> tuple[str, list[Row]]:
    ahead = f"Your branch is ahead of 'origin/main' by {text.number(2, 9)} commits."
    rows = [styled("On branch main"), styled(ahead), []]
    for title, style in (("Changes to be committed:", "green"), ("Changes not staged for commit:", "red")):
        rows.append(styled(title))
        names = [f"{text.noun()}/{_file(text)}" for _ in range(text.number(1, 5))]
        rows += [*(styled(f"<{style}>        modified:   {name}") for name in names), []]
    return "git status", rows


def _git_log(text: TextBank) -> tuple[str, list[Row]]:
    rows = []
    for number in range(text.number(5, 16)):
        head = "(<bold_cyan>HEAD -> <bold_green>main<yellow>) " if number == 0 else ""
        title = f"{text.verb().capitalize()} the {text.adjective()} {text.noun()}"
        rows.append(styled(f"<red>* <yellow>{text.number(0x1000000, 0xFFFFFFF):x} {head}<plain>{title}"))
    return "git log --oneline --graph", rows


def _git_diff(text: TextBank) -> tuple[str, list[Row]]:
    name = f"{text.noun()}/{_file(text)}"
    first, count = text.number(1, 300), text.number(5, 12)
    rows = [
        styled(f"<bold>diff --git a/{name} b/{name}"),
        styled(f"<bold>index {text.number(0x100000, 0xFFFFFF):x}..{text.number(0x100000, 0xFFFFFF):x} 100644"),
        styled(f"<cyan>@@ -{first},{count} +{first},{count + 2} @@<plain> def {text.verb()}({text.noun()}):"),
    ]
    for _ in range(text.number(4, 12)):
        sign = text.pick(["<green>+", "<red>-", " "])
        value = f"{text.verb()}_{text.noun()}({text.noun()}, {text.number(0, 99)})"
        rows.append(styled(f"{sign}    {text.noun()} = {value}"))
    return "git diff", rows


def _pods(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled(f"{'NAME':<34}{'READY':<8}{'STATUS':<19}{'RESTARTS':<11}AGE")]
    for _ in range(text.number(3, 10)):
        name = f"{text.noun()}-{text.noun()}-{text.number(0x10000000, 0xFFFFFFFF):x}"
        status = text.pick(["Running            "] * 5 + ["<red>CrashLoopBackOff   ", "<yellow>Pending            "])
        rows.append(styled(f"{name:<34}1/1     {status}<plain>{text.number(0, 9):<11}{text.number(1, 60)}d"))
    return f"kubectl get pods -n {text.noun()}", rows


def _build(text: TextBank) -> tuple[str, list[Row]]:
    rows = []
    for _ in range(text.number(3, 14)):
        version = f"v{text.number(0, 4)}.{text.number(0, 30)}.{text.number(0, 9)}"
        rows.append(styled(f"<bold_green>   Compiling <plain>{text.noun()}-{text.noun()} {version}"))
    if text.number(0, 3) == 0:
        rows.append(styled(f"<bold_yellow>warning<bold>: unused variable: `{text.noun()}`"))
        rows.append(styled(f"<blue>  --> <plain>src/{text.noun()}.rs:{text.number(1, 300)}:{text.number(1, 60)}"))
    seconds = f"{text.number(2, 90)}.{text.number(10, 99)}s"
    rows.append(styled(f"<bold_green>    Finished <plain>release [optimized] target(s) in {seconds}"))
    return "cargo build --release", rows


def _tests(text: TextBank) -> tuple[str, list[Row]]:
    count, num_files = text.number(20, 400), text.number(3, 12)
    rows = [styled("<bold>" + " test session starts ".center(_WIDTH, "=")), styled(f"collected {count} items"), []]
    for number in range(1, num_files + 1):
        name = f"tests/test_{text.noun()}_{text.noun()}.py "
        dots = "." * text.number(3, _WIDTH - len(name) - 8)
        rows.append(styled(f"{name}<green>{dots:<{_WIDTH - len(name) - 7}} [{100 * number // num_files:>3}%]"))
    summary = f"{count} passed in {text.number(1, 60)}.{text.number(10, 99)}s"
    style = "green"
    if text.number(0, 5) == 0:
        style, summary = "red", f"1 failed, {summary}"
        rows.append(styled(f"<red>FAILED<plain> tests/test_{text.noun()}.py::test_{text.verb()} - AssertionError"))
    rows.append(styled(f"<{style}>" + f" {summary} ".center(_WIDTH, "=")))
    return text.pick(["pytest", "make test", f"pytest tests/ -k {text.noun()}"]), rows


def _log(text: TextBank) -> tuple[str, list[Row]]:
    rows = []
    second = text.number(0, 86_000)
    day = f"2026-{text.number(1, 13):02d}-{text.number(1, 29):02d}"
    for _ in range(text.number(6, 24)):
        second += text.number(0, 14)
        clock = f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{text.number(0, 1000):03d}"
        words = f"{text.noun()} {past(text.verb())} {text.number(2, 9000)} {plural(text.noun())}"
        source = f"[{text.noun()}-{text.number(1, 9)}]"
        rows.append(styled(f"<dim>{day} {clock} {text.pick(_LEVELS)} <cyan>{source} <plain>{words}"))
    return f"tail -f /var/log/{text.noun()}.log", rows


def _traceback(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled("Traceback (most recent call last):")]
    home = f"/home/{text.first_name().lower()}/{text.noun()}"
    for _ in range(text.number(2, 6)):
        call = f"{text.verb()}_{text.noun()}"
        place = f'<magenta>{home}/{text.noun()}.py<plain>", line {text.number(3, 800)}, in {call}'
        rows.append(styled(f'  File "{place}'))
        rows.append(styled(f"    {text.noun()} = {call}({text.noun()}, {text.noun()}={text.number(0, 90)})"))
    rows.append(styled(f"<bold_red>ValueError<plain>: {text.noun()} is not {text.adjective()}: {text.number(0, 999)}"))
    return f"python {text.noun()}.py --{text.noun()} {text.number(1, 99)}", rows


def _json(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled("{")]
    for _ in range(text.number(3, 10)):
        number, name = f"<yellow>{text.number(0, 9999)}", f'<green>"{text.full_name()}"'
        rows.append(styled(f'<blue>  "{text.noun()}"<plain>: {text.pick([name, number, number, "<dim>null"])}<plain>,'))
    rows.append(styled("}"))
    return f"curl -s https://api.{text.noun()}.example/v{text.number(1, 4)}/{plural(text.noun())} | jq", rows


def _disks(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled("Filesystem      Size  Used Avail Use% Mounted on")]
    for number in range(text.number(3, 8)):
        size, share = text.number(4, 990), text.number(1, 99)
        device = text.pick(["tmpfs", "udev", f"/dev/sda{number + 1}", f"/dev/nvme0n1p{number}"])
        sizes = f"{size:>4}G{size * share // 100:>5}G{size * (100 - share) // 100:>5}G{share:>4}%"
        rows.append(styled(f"{device:<15}{sizes} /{text.noun()}"))
    return "df -h", rows


def _ping(text: TextBank) -> tuple[str, list[Row]]:
    host, address = f"{text.noun()}.example", f"192.0.2.{text.number(1, 255)}"
    base = text.number(4, 90)
    rows = [styled(f"PING {host} ({address}): 56 data bytes")]
    for number in range(text.number(3, 10)):
        time = f"{base + text.number(0, 6)}.{text.number(0, 1000):03d}"
        rows.append(styled(f"64 bytes from {address}: icmp_seq={number} ttl=57 time={time} ms"))
    return f"ping {host}", rows


def _training(text: TextBank) -> tuple[str, list[Row]]:
    rows = []
    loss, last = text.number(150, 700) / 100, text.number(3, 14)
    for epoch in range(1, last):
        loss *= 0.8 + text.number(0, 19) / 100
        figures = f"<cyan> {text.number(400, 480)}/s  <plain>loss {loss:.4f}  accuracy {1 - loss / 9:.3f}"
        rows.append(styled(f"epoch {epoch:>3}/50 <green>{'━' * 30}{figures}"))
    share = text.number(2, 29)
    bar = f"<magenta>{'━' * share}<dim>{'━' * (30 - share)}"
    rows.append(styled(f"epoch {last:>3}/50 {bar}<cyan> eta 0:{text.number(10, 60)}"))
    return f"python -m {text.noun()}.train configs/{text.noun()}.toml", rows


def _tree(text: TextBank) -> tuple[str, list[Row]]:
    rows = [styled("<bold_blue>.")]
    for _ in range(text.number(2, 6)):
        rows.append(styled(f"├── <bold_blue>{text.noun()}"))
        rows += [styled(f"│   ├── {_file(text)}") for _ in range(text.number(1, 5))]
        rows.append(styled(f"│   └── {_file(text)}"))
    rows.append(styled("└── README.md"))
    return "tree -L 2", rows


def _copy(text: TextBank) -> tuple[str, list[Row]]:
    what = gerund(text.verb()).capitalize()
    names = [f"{text.noun()}/{_file(text)}" for _ in range(text.number(2, 9))]
    rows = [styled(f"{what} {name} ... <green>done") for name in names]
    return f"rsync -av {text.noun()}/ {text.noun()}:/srv/{text.noun()}/", rows


def _quiet(text: TextBank) -> tuple[str, list[Row]]:
    made = text.pick([f"cd ../{text.noun()}", f"mkdir -p {text.noun()}/{text.noun()}", f"export {text.noun()}=1"])
    return text.pick([made, f"git checkout -b fix/{text.noun()}"]), []


def _unknown(text: TextBank) -> tuple[str, list[Row]]:
    name = text.noun()[:-1]
    return name, [styled(f"bash: {name}: command not found")]


_COMMANDS: tuple[Command, ...] = (
    *(_list_long, _list, _git_status, _git_log, _git_diff, _pods, _build, _tests, _log, _traceback, _json, _disks),
    *(_ping, _training, _tree, _copy, _quiet, _quiet, _unknown),
)
