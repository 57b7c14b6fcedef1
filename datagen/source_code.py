"""Source code that was never written: plausible Python and TypeScript, in tokens, for editors to colour."""

from typing import Literal

from datagen.texts import TextBank, plural

Kind = Literal["plain", "keyword", "name", "type", "string", "number", "comment", "function"]
Token = tuple[str, Kind]
Line = list[Token]


def write_code(text: TextBank, language: str, num_lines: int) -> list[Line]:
    """Return at least `num_lines` lines of `python` or `typescript`; a line is a list of (text, kind)."""
    lines = _python_imports(text) if language == "python" else _typescript_imports(text)
    while len(lines) < num_lines:
        lines += _python_function(text) if language == "python" else _typescript_function(text)
    return lines


def identifier(text: TextBank, *, camel: bool = False) -> str:
    """Return a name such as `silent_harbour` or `silentHarbour`."""
    parts = [text.pick([text.adjective(), text.verb(), text.noun()]), text.noun()][text.number(0, 2) :]
    return parts[0] + "".join(part.capitalize() for part in parts[1:]) if camel else "_".join(parts)


def _class_name(text: TextBank) -> str:
    return text.adjective().capitalize() + text.noun().capitalize()


def _python_imports(text: TextBank) -> list[Line]:
    lines: list[Line] = [[(f'"""{text.sentence()}"""', "string")], []]
    for _ in range(text.number(2, 5)):
        lines.append(
            [
                ("from ", "keyword"),
                (f"{text.noun()}.{text.noun()}", "plain"),
                (" import ", "keyword"),
                (_class_name(text), "type"),
            ]
        )
    return [*lines, [], []]


def _python_function(text: TextBank) -> list[Line]:
    argument, other = identifier(text), text.noun()
    lines: list[Line] = []
    if text.number(0, 3) == 0:
        lines.append([("@", "plain"), (text.noun(), "function")])
    lines += [
        [
            ("def ", "keyword"),
            (f"{text.verb()}_{text.noun()}", "function"),
            (f"({argument}: ", "plain"),
            (_class_name(text), "type"),
            (f", {other}: ", "plain"),
            (text.pick(["int", "str", "float"]), "type"),
            (f" = {text.number(1, 64)}) -> ", "plain"),
            (text.pick(["int", "bool", "str", "None"]), "type"),
            (":", "plain"),
        ],
        [(f'    """{text.label(3)}."""', "string")],
    ]
    for _ in range(text.number(2, 6)):
        lines += _python_statement(text, argument, other)
    result: Line = [("    return ", "keyword"), (f"{argument}.{text.noun()}", "plain"), (f" + {other}", "plain")]
    return [*lines, result, [], []]


def _python_statement(text: TextBank, argument: str, other: str) -> list[Line]:
    name = identifier(text)
    form = text.number(0, 6)
    if form == 0:
        return [[("    # ", "comment"), (text.label(4).lower(), "comment")]]
    if form == 1:
        return [
            [
                ("    for ", "keyword"),
                (name, "plain"),
                (" in ", "keyword"),
                (f"{argument}.{plural(text.noun())}:", "plain"),
            ],
            [
                (f"        {other} += ", "plain"),
                (str(text.number(1, 100)), "number"),
                (f" * {name}.{text.noun()}", "plain"),
            ],
        ]
    if form == 2:
        return [
            [("    if not ", "keyword"), (f"{argument}.{text.noun()}:", "plain")],
            [
                ("        raise ", "keyword"),
                ("ValueError", "type"),
                ("(f", "plain"),
                (f'"{text.noun()} is {text.adjective()}"', "string"),
                (")", "plain"),
            ],
        ]
    if form == 3:
        return [
            [
                (f"    {name} = ", "plain"),
                (f"{text.verb()}_{text.noun()}", "function"),
                (f"({argument}, {text.noun()}=", "plain"),
                (str(text.number(0, 500)), "number"),
                (")", "plain"),
            ]
        ]
    if form == 4:
        return [[(f"    {name} = ", "plain"), (f'"{text.noun()}-{text.noun()}"', "string")]]
    return [
        [(f"    {name} = [", "plain"), (", ".join(str(text.number(0, 99)) for _ in range(5)), "number"), ("]", "plain")]
    ]


def _typescript_imports(text: TextBank) -> list[Line]:
    lines: list[Line] = []
    for _ in range(text.number(3, 6)):
        lines.append(
            [
                ("import ", "keyword"),
                ("{ ", "plain"),
                (_class_name(text), "type"),
                (" } ", "plain"),
                ("from ", "keyword"),
                (f'"./{text.noun()}/{text.noun()}"', "string"),
                (";", "plain"),
            ]
        )
    return [*lines, []]


def _typescript_function(text: TextBank) -> list[Line]:
    argument, other = identifier(text, camel=True), text.noun()
    lines: list[Line] = [
        [(f"// {text.sentence()}", "comment")],
        [
            ("export function ", "keyword"),
            (identifier(text, camel=True), "function"),
            (f"({argument}: ", "plain"),
            (_class_name(text), "type"),
            (f", {other} = ", "plain"),
            (str(text.number(1, 64)), "number"),
            ("): ", "plain"),
            (text.pick(["number", "string", "boolean", "void"]), "type"),
            (" {", "plain"),
        ],
    ]
    for _ in range(text.number(2, 6)):
        lines += _typescript_statement(text, argument, other)
    return [*lines, [("  return ", "keyword"), (f"{argument}.{text.noun()};", "plain")], [("}", "plain")], []]


def _typescript_statement(text: TextBank, argument: str, other: str) -> list[Line]:
    name = identifier(text, camel=True)
    form = text.number(0, 4)
    if form == 0:
        return [
            [
                ("  for ", "keyword"),
                ("(", "plain"),
                ("const ", "keyword"),
                (f"{name} of {argument}.{plural(text.noun())}) {{", "plain"),
            ],
            [
                (f"    {argument}.", "plain"),
                (text.verb(), "function"),
                (f"({name}, ", "plain"),
                (str(text.number(0, 255)), "number"),
                (");", "plain"),
            ],
            [("  }", "plain")],
        ]
    if form == 1:
        return [
            [("  if ", "keyword"), (f"({other} > ", "plain"), (str(text.number(1, 90)), "number"), (") {", "plain")],
            [
                ("    throw new ", "keyword"),
                ("Error", "type"),
                ("(", "plain"),
                (f"`{text.label(2)}`", "string"),
                (");", "plain"),
            ],
            [("  }", "plain")],
        ]
    if form == 2:
        return [
            [
                ("  const ", "keyword"),
                (f"{name} = ", "plain"),
                ("await ", "keyword"),
                (identifier(text, camel=True), "function"),
                (f"({other});", "plain"),
            ]
        ]
    return [
        [("  const ", "keyword"), (f"{name} = ", "plain"), (f'"{text.noun()}/{text.noun()}"', "string"), (";", "plain")]
    ]
