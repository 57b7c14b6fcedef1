"""Shell sessions that were never typed: prompts, commands and their output, in spans for terminals to colour."""

from datagen.shell_commands import Row, run, stamp, styled
from datagen.texts import TextBank, plural

_KEYS = ("Help", "Setup", "Search", "Filter", "Tree", "SortBy", "Nice -", "Nice +", "Kill", "Quit")
_READING_WIDTH = 90
"""Columns beyond which manuals do not grow."""


def write_session(text: TextBank, num_rows: int) -> list[Row]:
    """Return at most `num_rows` rows, fewer for a session that just began; they end in a prompt without a command."""
    prompt = _prompt(text)
    wanted = num_rows if text.number(0, 4) else text.number(1, num_rows + 1)
    rows = _greeting(text)
    while len(rows) < wanted:
        typed, printed = run(text)
        rows += [*prompt[:-1], [*prompt[-1], (typed, "plain")], *printed]
    return [*rows, *prompt][-num_rows:]


def write_monitor(text: TextBank, num_rows: int, num_columns: int) -> list[Row]:
    """Return a process monitor that fills `num_rows` rows: meters, a header, processes, keys."""
    rows = [_meters(text, number, num_columns // 2) for number in range(min(4, num_rows // 5))]
    counts = f"{text.number(60, 400)}, {text.number(400, 900)} thr; {text.number(1, 6)} running"
    head = f"{'PID':>7} {'USER':<10} PRI  NI{'VIRT':>8}{'RES':>8} S  CPU%  MEM%   TIME+     Command"
    rows += [styled(f"<cyan>  Tasks: {counts}"), [], [(head.ljust(num_columns)[:num_columns], "on_green")]]
    chosen = text.number(0, 8)
    load = float(text.number(30, 100))
    for number in range(max(0, num_rows - len(rows) - 1)):
        process, load = _process(text, load), load * (0.6 + text.number(0, 40) / 100)
        line = "".join(part for part, _ in process).ljust(num_columns)[:num_columns]
        rows.append([(line, "on_cyan")] if number == chosen else process)
    keys = styled("".join(f"<plain>F{number}<on_cyan>{name:<6}" for number, name in enumerate(_KEYS, 1)))
    return [*rows, keys][:num_rows]


def write_manual(text: TextBank, num_rows: int, num_columns: int) -> list[Row]:
    """Return a page of a manual in a pager."""
    name = text.verb()
    width = min(num_columns, _READING_WIDTH)
    title = f"{name.upper()}(1)"
    middle = "User Commands".center(max(14, width - 2 * len(title)))
    rows = [styled(f"{title}{middle}{title}"), [], styled("<bold>NAME")]
    rows += [styled(f"       {name} - {text.verb()} {text.adjective()} {plural(text.noun())}"), []]
    rows += [styled("<bold>SYNOPSIS"), styled(f"       <bold>{name}<plain> [OPTION]... <green>FILE"), []]
    rows.append(styled("<bold>DESCRIPTION"))
    while len(rows) < num_rows:
        if text.number(0, 2):
            rows.append(styled(f"       <bold>-{name[0]}, --{text.noun()}<plain>=<green>{text.noun().upper()}"))
        rows += [styled(f"              {line}") for line in _wrap(text.paragraph(2), width - 16)]
        rows.append([])
    status = f"<on_white> Manual page {name}(1) line {text.number(1, 90)} (press h for help) "
    return [*rows[: num_rows - 1], styled(status)]


def _prompt(text: TextBank) -> list[Row]:
    """Return one or two rows; the last has no command yet."""
    user, host, folder = text.first_name().lower(), text.noun(), text.noun()
    branch = text.pick(["main", "main", "develop", f"fix/{text.noun()}"])
    place = f"~/{text.noun()}/{folder}"
    arrow = "\u276f"
    prompts = (
        (f"<bold_green>{user}@{host}<plain>:<bold_blue>{place}<plain>$ ",),
        (f"[{user}@{host} {folder}]$ ",),
        (f"<bold_green>➜  <bold_cyan>{folder} <blue>git:(<red>{branch}<blue>) ",),
        (f"<cyan>{place}<magenta> {branch} <green>{arrow} ",),
        (f"<bold_blue>{place}<magenta> on {branch}<yellow> took {text.number(1, 60)}s", f"<bold_green>{arrow} "),
        (f"<on_blue> {user} <on_grey> {place} <on_green> {branch} <plain> ",),
        (f"PS C:\\Users\\{user}\\{folder}> ",),
        (f"{host}% ",),
        (f"<bold_red>root@{host}:/srv/{folder}# ",),
    )
    return [styled(markup) for markup in text.pick(prompts)]


def _greeting(text: TextBank) -> list[Row]:
    last = styled(f"Last login: {stamp(text)} on ttys{text.number(0, 9):03d}")
    if text.number(0, 2):
        return [last]
    welcome = styled(f"Welcome to {text.label(2)} {text.number(18, 27)}.04 LTS (x86_64)")
    return [welcome, [], styled(f" * {text.number(2, 40)} updates can be applied immediately."), last, []]


def _meters(text: TextBank, number: int, width: int) -> Row:
    markup = ""
    bar = max(4, width - 14)
    for column in range(2):
        used = text.number(1, 100)
        filled = bar * used // 100
        low = filled * 2 // 3
        markup += f"<cyan> {number * 2 + column:>2}<bold>[<green>{'|' * low}<red>{'|' * (filled - low)}"
        markup += f"<dim>{' ' * (bar - filled)}{used:5.1f}%<bold>] "
    return styled(markup)


def _process(text: TextBank, load: float) -> Row:
    service = f"/opt/{text.noun()}/{text.noun()}-server"
    name = text.pick([f"/usr/bin/{text.noun()} --{text.noun()}", f"python {text.noun()}.py", text.noun(), service])
    user = text.pick(["root", "ada", "www-data", "postgres", "ada"])
    sizes = f"{text.number(10, 9999):>7}M{text.number(1, 999):>7}M"
    state = "<green>R" if load > 20 else "<dim>S"
    time = f"{text.number(0, 99):>2}:{text.number(10, 60)}.{text.number(10, 99)}"
    figures = f"{load:>5.1f}{text.number(0, 90) / 10:>6.1f}   {time}"
    return styled(f"{text.number(2, 99999):>7} {user:<10}  20   0{sizes} {state} <plain> {figures}  {name}")


def _wrap(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
