"""The tokens of real source code, by Pygments, in the kinds that editors colour."""

from collections.abc import Sequence

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, String, Token, _TokenType

from datagen.source_code import Kind, Line

LANGUAGES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".tsx": "typescript", ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".hpp": "cpp",
    ".cs": "csharp", ".rs": "rust", ".go": "go", ".java": "java", ".kt": "kotlin", ".swift": "swift", ".rb": "ruby",
    ".php": "php", ".lua": "lua", ".r": "r", ".jl": "julia", ".scala": "scala", ".html": "html", ".css": "css",
    ".scss": "scss", ".vue": "html", ".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
    ".ini": "ini", ".xml": "xml", ".sql": "sql", ".sh": "bash", ".bash": "bash", ".ps1": "powershell",
    ".cmake": "cmake", ".tex": "tex",
}  # fmt: skip
"""Pygments' name of a language, by file ending."""

TITLES = {
    "c": "C", "cpp": "C++", "csharp": "C#", "css": "CSS", "html": "HTML", "ini": "INI", "javascript": "JavaScript",
    "json": "JSON", "php": "PHP", "powershell": "PowerShell", "bash": "Shell", "scss": "SCSS", "sql": "SQL",
    "tex": "TeX", "toml": "TOML", "typescript": "TypeScript", "xml": "XML", "yaml": "YAML", "cmake": "CMake",
}  # fmt: skip
"""How an editor writes a language whose name does not just start with a capital."""

_KINDS: tuple[tuple[_TokenType, Kind], ...] = (
    (Comment, "comment"),
    (Keyword.Type, "type"),
    (Keyword, "keyword"),
    (Token.Operator.Word, "keyword"),
    (String, "string"),
    (Number, "number"),
    (Name.Class, "type"),
    (Name.Namespace, "type"),
    (Name.Exception, "type"),
    (Name.Builtin, "type"),
    (Name.Function, "function"),
    (Name.Decorator, "function"),
    (Name.Tag, "keyword"),
    (Name.Attribute, "function"),
    (Name, "name"),
)


def highlight(lines: Sequence[str], language: str) -> list[Line]:
    """Return each line as (text, kind) pairs that add up to it."""
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=True)
    coloured: list[Line] = [[]]
    for token, text in lexer.get_tokens("\n".join(lines)):
        kind: Kind = next((kind for kind_token, kind in _KINDS if token in kind_token), "plain")
        for number, piece in enumerate(text.split("\n")):
            if number:
                coloured.append([])
            if piece:
                coloured[-1].append((piece, kind))
    return coloured[: len(lines)]
