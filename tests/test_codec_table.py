"""The table of codecs: wire ids are pinned, every entry resolves, reading it loads no torch."""

import subprocess
import sys

import pytest

from pipeline.base.errors import ConfigError, MissingDependency, UnsupportedBitstream
from pipeline.codecs.table import CODECS, find_codec, find_wire_id, presets_folder, resolve

# Never change a line here; a codec that goes leaves its number unused for ever.
WIRE_IDS = {"mtl_sci": 1, "segpic": 2, "seec": 3, "msroi_jpeg": 4, "screen": 5}


def test_wire_ids_are_pinned_and_unique() -> None:
    assert {spec.name: spec.wire_id for spec in CODECS} == WIRE_IDS
    assert len(set(WIRE_IDS.values())) == len(WIRE_IDS)


@pytest.mark.parametrize("spec", CODECS, ids=lambda spec: spec.name)
def test_every_entry_resolves(spec) -> None:
    assert callable(resolve(spec.config))
    assert callable(resolve(spec.builder))
    assert list(presets_folder(spec).glob("*.toml"))
    assert find_codec(spec.name) is spec
    assert find_wire_id(spec.wire_id, where="here") is spec


def test_unknown_codecs_are_refused_by_name_and_number() -> None:
    with pytest.raises(ConfigError, match="known: mtl_sci, segpic"):
        find_codec("nothing")
    with pytest.raises(UnsupportedBitstream, match=r"x\.bin: codec number 65535"):
        find_wire_id(65535, where="x.bin")


def test_missing_extra_is_named() -> None:
    with pytest.raises(MissingDependency, match=r"pip install 'diptych\[codecs\]'"):
        resolve("package_that_is_not_there.codec:build")


def test_table_and_configs_load_without_torch() -> None:
    script = (
        "import sys\n"
        "from pipeline.codecs.table import CODECS, resolve\n"
        "[resolve(spec.config) for spec in CODECS]\n"
        "assert not {'torch', 'numba', 'compressai', 'ray'} & set(sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
