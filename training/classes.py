"""What pictures show: which classes a run learns, and a sample's among them.

N crops, C classes.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import UsageError
from pipeline.formats.corpus import CorpusSplit
from training.config import TrainConfig, class_names, needs_classes


def with_classes(config: TrainConfig, train: CorpusSplit) -> TrainConfig:
    """Return the config with the codec's class names in it: its own, or else all of the training split, sorted.

    Called once, before workers start, so that all ranks and a continued run have the same outputs in the same order. A
    codec that learns no classes is left alone.
    Raises: UsageError: there are fewer than two classes, or the split shows none of those named; ConfigError.
    """
    if not needs_classes(config):
        return config
    named, found = class_names(config), train.classes()
    if named:
        if not set(named) & set(found):
            raise UsageError(
                f"{train.store.url}: split {train.split!r} shows none of the classes that class_names names; "
                f"it shows: {_listed(found)}"
            )
        return config
    if len(found) < 2:
        raise UsageError(
            f"{train.store.url}: split {train.split!r} shows {_listed(found)} alone; "
            f"codec {config.codec} needs two classes or more to tell apart"
        )
    names = json.dumps(list(found), ensure_ascii=False)
    return replace(config, codec_set=(*config.codec_set, f"class_names={names}"))


def multi_hot(shown: Sequence[str], names: Sequence[str]) -> NDArray[np.float32]:
    """Return (C,): 1 for the classes of `names` that a sample shows, else 0; all 0 if it shows none of them."""
    return np.asarray([name in shown for name in names], dtype=np.float32)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "nothing"
