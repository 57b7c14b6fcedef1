"""Importing does nothing; `--help` is instant; reading an archive needs no heavy package."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parents[1]
PACKAGES = ("pipeline", "datagen", "training", "serving")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)


def test_the_packages_are_this_repositorys() -> None:
    # `training` and `serving` are generic names; another distribution's must not stand in for ours.
    assert (ROOT / "pyproject.toml").is_file()
    for package in PACKAGES:
        assert (ROOT / package / "__init__.py").is_file()


@pytest.mark.parametrize(("library", "home"), [("train", "training/launch.py"), ("serve", "serving/app.py")])
def test_each_of_rays_libraries_is_imported_in_one_file(library: str, home: str) -> None:
    importers = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                if isinstance(node, ast.ImportFrom):
                    names = [f"{node.module}.{name}" for name in names]
                if any(f"{name}.".startswith(f"ray.{library}.") for name in names):
                    importers.add(str(path.relative_to(ROOT)))
    assert importers == {home}


def test_importing_every_module_prints_nothing_and_writes_nothing(tmp_path: Path) -> None:
    # One process for all: torch and ray take seconds to import, and a side effect shows just as well.
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    command = [sys.executable, "-W", "error", "-c", script, *MODULES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_reading_formats_loads_neither_torch_nor_ray_nor_numba() -> None:
    light = [name for name in MODULES if name.startswith(("pipeline.base", "pipeline.formats"))]
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(sorted({'torch', 'ray', 'numba', 'mss', 'compressai'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, *light, "pipeline.codecs.table", "pipeline.cli"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["archive", "--help"]])
def test_help_is_quick_and_loads_no_stage(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom pipeline.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'ray', 'numpy', 'pyarrow', 'PIL', 'datagen', 'training', 'serving'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, *arguments]
    started = time.monotonic()
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    elapsed = time.monotonic() - started
    assert "LOADED []" in out
    assert "Usage: diptych" in out
    # The promise is 0.5 s on an idle machine; what makes it true is the line above. This only catches a disaster.
    assert elapsed < 10
