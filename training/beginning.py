"""What a new run begins with: fresh weights, a trunk's, or those of a checkpoint; checked before workers start."""

from dataclasses import fields
from pathlib import Path

from pipeline.base.errors import CheckpointError, UsageError
from pipeline.codecs.checkpoint import read_config
from training.config import TrainConfig, codec_config


def check_beginning(config: TrainConfig) -> None:
    """Refuse a new run whose first weights are not there, or are not for its codec.

    Raises: UsageError: there is no such file; CheckpointError: weights of another codec or config; the message names
    the first key that differs.
    """
    if config.trunk_weights and not Path(config.trunk_weights).is_file():
        raise UsageError(f"{config.trunk_weights}: no such file; trunk_weights must name one")
    if config.init_from:
        _check_fit(config)


def absolute(path: str) -> str:
    """Return a path as workers need it, who have a working directory of their own; empty if it is."""
    return str(Path(path).resolve()) if path else ""


def _check_fit(config: TrainConfig) -> None:
    name, found = read_config(config.init_from)
    if name != config.codec:
        raise CheckpointError(f"{config.init_from}: weights of codec {name}, this run trains {config.codec}")
    wanted = codec_config(config)
    for field in fields(wanted):
        has, wants = getattr(found, field.name), getattr(wanted, field.name)
        if has != wants:
            raise CheckpointError(
                f"{config.init_from}: weights of codec {name} with {field.name} = {has!r}, this run has {wants!r}"
            )
