"""Every error Diptych raises on purpose.

DiptychError                      one clear line for the person at the terminal; exit code 2
  * ConfigError                   unknown key, wrong type, value out of range
  * UsageError                    a path that is missing, a folder that is not empty, an impossible request
      + MissingDependency         an extra that is not installed; the message names the pip line
  * PictureError                  one input picture cannot be coded; carries a reason code
  * StorageError                  the disk is full, a folder is not writable
  * CheckpointError               not a checkpoint, a checkpoint of another codec, a digest that differs
  * FormatError                   bytes that cross a border are not what they claim to be
      + BitstreamError
          - TruncatedBitstream
          - CorruptBitstream
          - UnsupportedBitstream  version or codec unknown to this release
          - ReconstructionMismatch
      + ShardError
      + ArchiveError
  * TrainingError                 a run that cannot go on
  * Interrupted                   a person stopped it, and it was saved; exit code 130

Messages say where, what was found, what was expected. Foreign exceptions are wrapped at one border with `from error`.
"""


class DiptychError(Exception):
    """Base of all errors raised on purpose; the command line prints it as one line and exits with `exit_code`."""

    exit_code = 2
    word = "error"
    """What the line begins with."""


class ConfigError(DiptychError):
    """A config file or a `--set` has an unknown key, a wrong type or a value out of range."""


class UsageError(DiptychError):
    """The request cannot be met as given: a missing path, a folder that is not empty."""


class MissingDependency(UsageError):
    """An optional part of Diptych is not installed."""


class PictureError(DiptychError):
    """One input picture cannot be coded. `reason` is a short stable code, counted in summaries."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["PictureError"], tuple[str, str]]:
        # Two arguments: the default pickling would lose one on the way back from a worker process.
        return (PictureError, (self.reason, str(self)))


class StorageError(DiptychError):
    """The operating system refused to read or write."""


class CheckpointError(DiptychError):
    """A folder or file is not the checkpoint it was taken for."""


class FormatError(DiptychError):
    """Bytes that cross a border are not what they claim to be."""


class BitstreamError(FormatError):
    """One picture's bytes cannot be decoded."""


class TruncatedBitstream(BitstreamError):
    """The bytes end before the bitstream does."""


class CorruptBitstream(BitstreamError):
    """The bytes were changed, or never were a bitstream."""


class UnsupportedBitstream(BitstreamError):
    """A version or codec that this release does not know."""


class ReconstructionMismatch(BitstreamError):
    """The decoder's picture is not the picture that the encoder promised."""


class ShardError(FormatError):
    """A shard, its side-car or its commit record is damaged or missing."""


class ArchiveError(FormatError):
    """An archive's shards, index or commit records are damaged or missing."""


class TrainingError(DiptychError):
    """A training run cannot start or go on."""


class Interrupted(DiptychError):
    """A person stopped the work, and it can go on where it stopped."""

    exit_code = 130
    word = "interrupted"
