"""Where a Segment Anything checkpoint is: a file, or a URL that is fetched once, and whether it is what it says."""

import logging
import re
import shutil
from pathlib import Path

import fsspec

from pipeline.base.errors import CheckpointError
from pipeline.base.store import TEMPORARY_PREFIX, sha256_file, sha256_hex

logger = logging.getLogger(__name__)

CACHE = Path("~/.cache/diptych/checkpoints")
_PUBLISHED = re.compile(r"sam_vit_[blh]_([0-9a-f]{6})\.pth")
"""The published files carry the first digits of their SHA-256 in their names."""


def located(checkpoint: str, *, cache: Path = CACHE) -> Path:
    """Return the file of a checkpoint given by path or URL. Raises: CheckpointError: it is not there."""
    if "://" not in checkpoint:
        path = Path(checkpoint)
        if not path.is_file():
            raise CheckpointError(f"{checkpoint}: no such file (masks.sam_checkpoint)")
        return path
    name = checkpoint.partition("?")[0].rstrip("/").rpartition("/")[2] or "checkpoint"
    path = cache.expanduser() / sha256_hex(checkpoint.encode())[:16] / name
    if not path.is_file():
        logger.warning("fetching %s to %s", checkpoint.partition("?")[0], path)
        _fetch(checkpoint, path)
    return path


def digest_of(path: Path) -> str:
    """Return a checkpoint's SHA-256, hexadecimal. Raises: CheckpointError: it is not the published file of its name."""
    digest = sha256_file(path)
    published = _PUBLISHED.fullmatch(path.name)
    if published is not None and not digest.startswith(published[1]):
        raise CheckpointError(
            f"{path}: sha256 begins with {digest[:6]}, that of the published file with {published[1]}; fetch it again"
        )
    return digest


def _fetch(url: str, path: Path) -> None:
    partial = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fsspec.open(url, "rb") as source, open(partial, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        partial.replace(path)
    except (OSError, ImportError, ValueError) as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"{url.partition('?')[0]}: cannot be fetched ({error})") from error
