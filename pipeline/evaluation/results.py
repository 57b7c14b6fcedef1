"""What an evaluation found: a row a picture and coder, a table with a row a coder, and their files."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import pyarrow as pa

from pipeline.base.errors import FormatError, UsageError
from pipeline.base.store import Store, canonical_json
from pipeline.evaluation.metrics import ClassDistortion, Distortion, mean
from pipeline.evaluation.perceptual import SCORES, PerceptualScores
from pipeline.evaluation.perceptual_results import COLUMNS, HEADINGS, PerceptualRow, score_cell
from pipeline.evaluation.perceptual_results import NOTES as PERCEPTUAL_NOTES
from pipeline.formats.shards import write_parquet

RESULTS, SUMMARY = "results.parquet", "summary.json"
FORMAT, FORMAT_VERSION = "diptych-evaluation", 1
CLASSES = ("whole", "synthetic", "natural")

NOTES = (
    "bpp is 8 x bytes of the whole file / pixels, averaged over pictures.",
    'PSNR in dB over R, G and B is the mean of the pictures\' finite values; "exact" counts pictures that came back '
    "equal, which have none. The pooled PSNR (of the MSE over all pixels) is in summary.json.",
    "Seconds are wall-clock, the median over pictures, one picture at a time; a checkpoint's encoder also decodes.",
    "Lossy peers take the highest quality whose file is not larger than the bitstream they are matched to; "
    '"over budget" counts pictures for which even their lowest quality is larger.',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One picture through one coder."""

    picture: str
    pixels_sha256: str
    width: int
    height: int
    coder: str
    """`codec@first 8 digits of its weights' SHA-256`, or a peer's name."""
    kind: str
    """`checkpoint`, `peer` or `reference`."""
    version: str
    settings: str
    weights_sha256: str | None
    quality: int | None
    matched_to: str | None
    """The coder whose bytes were the budget."""
    over_budget: bool
    num_bytes: int
    label_source: str
    distortion: ClassDistortion
    encode_seconds: float
    decode_seconds: float
    scores: PerceptualScores | None = None
    """None if PSNR alone was asked for."""

    @property
    def bpp(self) -> float:
        """Bits of the whole file a pixel."""
        return 8 * self.num_bytes / (self.width * self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A picture that was not measured, or not by the coder named."""

    picture: str
    coder: str | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One coder over all pictures; PSNRs in dB, None where there is nothing finite."""

    coder: str
    pictures: int
    bpp: float
    psnr_whole: float | None
    psnr_synthetic: float | None
    psnr_natural: float | None
    exact: int
    encode_s: float
    decode_s: float
    over_budget: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSummary:
    """What `diptych evaluate` prints."""

    out: str
    pictures: str
    num_pictures: int
    labels: str
    """Where the synthetic and natural pixels were taken from, with counts of pictures."""
    matched_to: str
    """The coder whose bytes the lossy peers were given."""
    table: tuple[TableRow, ...]
    rejected: tuple[Rejected, ...]
    perceptual: tuple[PerceptualRow, ...] = ()
    """Empty if PSNR alone was asked for."""
    undefined: str = ""
    """For how many pictures a perceptual score is not defined."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What one has to know to read the tables rightly."""
        return (*NOTES, *PERCEPTUAL_NOTES) if self.perceptual else NOTES

    def to_markdown(self) -> str:
        """Return the tables as GitHub Markdown, with the notes that they need to be read rightly."""
        head = ["coder", "pictures", "bpp", "PSNR", "PSNR synthetic", "PSNR natural", "exact", "encode s", "decode s"]
        lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
        lines += [_line(_cells(row)) for row in self.table]
        if self.perceptual:
            lines += ["", *_perceptual_lines(self.perceptual)]
        over = [f"{row.coder} {row.over_budget}" for row in self.table if row.over_budget]
        text = [
            f"{self.num_pictures} pictures, {len(self.rejected)} rejected; labels: {self.labels}; "
            f"lossy peers at the bytes of {self.matched_to}"
            + (f"; over budget: {', '.join(over)} pictures." if over else ".")
        ]
        if self.undefined:
            text.append(f"Not defined (too small, no saliency map, a flat original): {self.undefined}.")
        return "\n".join([*lines, "", *text, *self.notes]) + "\n"


def tabulate(rows: Sequence[Row]) -> tuple[TableRow, ...]:
    """Average the rows by coder, in order of first appearance."""
    coders = dict.fromkeys(row.coder for row in rows)
    return tuple(_table_row(coder, [row for row in rows if row.coder == coder]) for coder in coders)


def pooled(rows: Sequence[Row]) -> dict[str, dict[str, float | str | None]]:
    """Return, by coder, the PSNR of the MSE over all pictures' pixels: whole, synthetic, natural."""
    return {
        coder: {
            name: json_number(mean(getattr(row.distortion, name) for row in rows if row.coder == coder).pooled_psnr)
            for name in CLASSES
        }
        for coder in dict.fromkeys(row.coder for row in rows)
    }


def json_number(value: float | None) -> float | str | None:
    """Return a float that JSON can hold; an infinite one as the text `inf`."""
    return "inf" if value == math.inf else value


def write_results(store: Store, rows: Sequence[Row], *, metadata: Mapping[str, str]) -> None:
    """Write `results.parquet`; infinite PSNRs stay infinite there, missing ones are null. Raises: StorageError.

    The columns of perceptual scores are there if any row has them.
    """
    plain = [_plain_row(row) for row in rows]
    schema = SCHEMA
    for column in COLUMNS if any(row.scores for row in rows) else ():
        schema = schema.append(pa.field(*column))
    columns = {name: [row.get(name) for row in plain] for name in schema.names}
    table = pa.table(columns, schema=schema).replace_schema_metadata(dict(metadata))
    with store.writing(RESULTS) as path:
        write_parquet(table, path)


def write_summary(store: Store, summary: EvaluateSummary, details: Mapping[str, Any]) -> None:
    """Write `summary.json`, last of all files. Raises: StorageError."""
    table = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(summary), "notes": summary.notes, **details}
    store.write_bytes(SUMMARY, canonical_json(table))


def read_summary(store: Store) -> dict[str, Any]:
    """Return `summary.json`. Raises: UsageError: there is none; FormatError: it is something else."""
    if not store.exists(SUMMARY):
        raise UsageError(f"{store.url}: no {SUMMARY}; not a finished evaluation")
    try:
        table: dict[str, Any] = json.loads(store.read_bytes(SUMMARY))
        found = (table["format"], table["format_version"])
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"{store.where(SUMMARY)}: not an evaluation's summary ({error})") from error
    if found != (FORMAT, FORMAT_VERSION):
        raise FormatError(f"{store.where(SUMMARY)}: is {found[0]} version {found[1]}, expected {FORMAT} 1")
    return table


SCHEMA = pa.schema(
    [
        ("picture", pa.string()),
        ("pixels_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("coder", pa.string()),
        ("kind", pa.string()),
        ("version", pa.string()),
        ("settings", pa.string()),
        ("weights_sha256", pa.string()),
        ("quality", pa.int32()),
        ("matched_to", pa.string()),
        ("over_budget", pa.bool_()),
        ("num_bytes", pa.int64()),
        ("bpp", pa.float64()),
        ("label_source", pa.string()),
        *((f"num_pixels_{name}", pa.int64()) for name in CLASSES),
        *((f"squared_error_{name}", pa.int64()) for name in CLASSES),
        *((f"psnr_{name}", pa.float64()) for name in CLASSES),
        ("encode_seconds", pa.float64()),
        ("decode_seconds", pa.float64()),
    ]
)


def _plain_row(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {
        field.name: getattr(row, field.name) for field in fields(row) if field.name not in ("distortion", "scores")
    }
    plain["bpp"] = row.bpp
    for name in CLASSES:
        distortion: Distortion = getattr(row.distortion, name)
        plain[f"num_pixels_{name}"] = distortion.num_pixels
        plain[f"squared_error_{name}"] = distortion.squared_error
        plain[f"psnr_{name}"] = distortion.psnr
    return plain if row.scores is None else {**plain, **asdict(row.scores)}


def _table_row(coder: str, rows: Sequence[Row]) -> TableRow:
    means = {name: mean(getattr(row.distortion, name) for row in rows) for name in CLASSES}
    return TableRow(
        coder=coder,
        pictures=len(rows),
        bpp=math.fsum(row.bpp for row in rows) / len(rows),
        psnr_whole=means["whole"].mean_psnr,
        psnr_synthetic=means["synthetic"].mean_psnr,
        psnr_natural=means["natural"].mean_psnr,
        exact=means["whole"].num_exact,
        encode_s=_median([row.encode_seconds for row in rows]),
        decode_s=_median([row.decode_seconds for row in rows]),
        over_budget=sum(row.over_budget for row in rows),
    )


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _perceptual_lines(rows: Sequence[PerceptualRow]) -> list[str]:
    lines = [_line(["coder", *(HEADINGS[name] for name in SCORES)]), _line(["---", *["---:"] * len(SCORES)])]
    return lines + [_line([row.coder, *(score_cell(name, getattr(row, name)) for name in SCORES)]) for row in rows]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: TableRow) -> list[str]:
    psnrs = [row.psnr_whole, row.psnr_synthetic, row.psnr_natural]
    return [
        row.coder,
        str(row.pictures),
        f"{row.bpp:.3f}",
        *("-" if psnr is None else f"{psnr:.2f}" for psnr in psnrs),
        str(row.exact),
        f"{row.encode_s:.3f}",
        f"{row.decode_s:.3f}",
    ]
