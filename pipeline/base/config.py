"""Configs: frozen dataclasses beside their owner, filled from TOML by one strict loader.

`load(TrainConfig, "tiny", presets=..., overrides=["steps=100"])` reads a preset or a file, applies `--set a.b=c`,
refuses unknown keys (with a suggestion) and wrong types. `to_toml` writes the resolved config that is saved with every
output.
"""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from pipeline.base.errors import ConfigError

T = TypeVar("T")


def load(cls: type[T], source: str | Path, *, presets: Path, overrides: Iterable[str] = ()) -> T:
    """Return the config in `source`: a TOML file, or the name of a preset in the folder `presets`.

    `overrides` are `a.b=c` with c a TOML value; bare words are taken as strings.
    Raises: ConfigError: no such file or preset, TOML syntax, unknown key, wrong type, or the class's own check.
    """
    path = _find(source, presets)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    where = path.name
    for override in overrides:
        where = f"{path.name} with --set"
        _apply(table, override)
    return from_table(cls, table, where=where)


def override(cls: type[T], table: Mapping[str, Any], overrides: Iterable[str]) -> T:
    """Build `cls` from a table and `a.b=value` overrides, for verbs without a config file. Raises: ConfigError."""
    changed = dict(table)
    for one in overrides:
        _apply(changed, one)
    return from_table(cls, changed, where="--set")


def from_table(cls: type[T], table: Mapping[str, Any], *, where: str) -> T:
    """Build the dataclass `cls` from a parsed TOML table; `where` names the source in errors."""
    return typing.cast(T, _build(cls, table, where=where, prefix=""))


def to_table(config: Any) -> dict[str, Any]:
    """Return a config as a plain table; fields that are None are left out (TOML has no null)."""
    return {
        field.name: _plain(getattr(config, field.name))
        for field in dataclasses.fields(config)
        if getattr(config, field.name) is not None
    }


def to_toml(config: Any) -> str:
    """Return the resolved config as TOML; `from_table` reads it back to an equal config."""
    return tomli_w.dumps(to_table(config))


def _find(source: str | Path, presets: Path) -> Path:
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise ConfigError(f"{path}: no such config file")
        return path
    preset = presets / f"{source}.toml"
    if preset.is_file():
        return preset
    names = sorted(entry.stem for entry in presets.glob("*.toml"))
    raise ConfigError(f"{source}: neither a .toml file nor a preset; presets here: {', '.join(names) or 'none'}")


def _apply(table: dict[str, Any], override: str) -> None:
    name, sign, text = override.partition("=")
    if not sign or not name.strip():
        raise ConfigError(f"--set {override}: expected a.b=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *parents, last = name.strip().split(".")
    for parent in parents:
        child = table.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: {parent!r} is a value, not a table")
        table = child
    table[last] = value


def _build(cls: type, table: Mapping[str, Any], *, where: str, prefix: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(sorted(fields))}"
            raise ConfigError(f"{where}: unknown key '{prefix}{key}'; {hint}")
        values[key] = _convert(hints[key], value, where=where, name=f"{prefix}{key}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ConfigError(f"{where}: key '{prefix}{name}' is missing")
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, *, where: str, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return _convert(inner, value, where=where, name=name)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where}: '{name}' must be one of {', '.join(map(repr, arguments))}, got {value!r}")
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], item, where=where, name=f"{name}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, where=where, name=f"{name}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _build(typing.cast(type, hint), value, where=where, prefix=f"{name}.")
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    wanted = origin or hint
    expected = getattr(wanted, "__name__", str(wanted))
    raise ConfigError(f"{where}: '{name}' must be {expected}, got {value!r}")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_table(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
