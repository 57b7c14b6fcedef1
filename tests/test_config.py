"""The strict TOML loader."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from pipeline.base import config
from pipeline.base.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    lambda_rd: float = 0.013
    engine: Literal["local", "ray"] = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    steps: int
    name: str = "x"
    folder: str | None = None
    sizes: tuple[int, ...] = (1, 2)
    shares: dict[str, float] = field(default_factory=dict)
    inner: Inner = Inner()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    (tmp_path / "tiny.toml").write_text("steps = 3\nsizes = [4]\n[inner]\nlambda_rd = 1\n[shares]\na = 2\n")
    return tmp_path


def test_a_preset_fills_the_dataclass_and_overrides_win(presets: Path) -> None:
    loaded = config.load(Outer, "tiny", presets=presets, overrides=["inner.engine=ray", "steps=5", "folder=a b"])
    assert loaded == Outer(
        steps=5, sizes=(4,), shares={"a": 2.0}, inner=Inner(lambda_rd=1.0, engine="ray"), folder="a b"
    )


def test_the_resolved_toml_reads_back_to_the_same_config(presets: Path, tmp_path: Path) -> None:
    loaded = config.load(Outer, "tiny", presets=presets)
    (tmp_path / "saved.toml").write_text(config.to_toml(loaded))
    assert config.load(Outer, tmp_path / "saved.toml", presets=presets) == loaded


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("inner.lamda_rd=1", "unknown key 'inner.lamda_rd'; did you mean 'lambda_rd'"),
        ("steps=1.5", "'steps' must be int, got 1.5"),
        ("steps=true", "'steps' must be int, got True"),
        ("inner.engine=spark", "'inner.engine' must be one of 'local', 'ray', got 'spark'"),
        ("steps=0", "steps must be at least 1, got 0"),
        ("sizes=[1, 'b']", r"'sizes\[1\]' must be int"),
        ("inner=3", "'inner' must be Inner"),
        ("steps.deep=3", "'steps' is a value, not a table"),
        ("nothing", "expected a.b=value"),
    ],
)
def test_a_wrong_override_is_one_clear_error(presets: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(Outer, "tiny", presets=presets, overrides=[override])


def test_a_missing_key_a_missing_file_and_bad_toml_are_config_errors(presets: Path) -> None:
    (presets / "empty.toml").write_text("")
    (presets / "broken.toml").write_text("steps = ")
    with pytest.raises(ConfigError, match="key 'steps' is missing"):
        config.load(Outer, "empty", presets=presets)
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        config.load(Outer, "broken", presets=presets)
    with pytest.raises(ConfigError, match="presets here: broken, empty, tiny"):
        config.load(Outer, "tyni", presets=presets)
    with pytest.raises(ConfigError, match="no such config file"):
        config.load(Outer, "nowhere.toml", presets=presets)
