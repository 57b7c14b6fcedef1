"""SEEC measured: speed, rates beside lossless peers, maps of classes, regions of interest.

    python -m benchmarks.lossless speed [--patches 4] [--checkpoint PATH ...]
    python -m benchmarks.lossless rates --checkpoint PATH ... --pictures FOLDER ... [--labels FOLDER ...]
    python -m benchmarks.lossless masks --checkpoint PATH --pictures FOLDER ...
    python -m benchmarks.lossless roi --checkpoint PATH --pictures FOLDER ...

`speed` is by the clock, on `--threads` threads, each way in a process of its own, which codes one patch to warm up;
memory is the process's peak while coding less what it held before. It compares with the published procedure
(naive_seec.py) on the same weights. The others count CPU seconds of one thread.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from benchmarks import naive_seec
from benchmarks.lossless_peers import (
    Classes,
    Rate,
    Shown,
    checked,
    classes_in,
    measured,
    peers,
    print_table,
    rate_of_ours,
    shown_in,
    timed,
    warm,
)
from benchmarks.memory import peak_mib
from pipeline.base.config import load as load_config
from pipeline.codecs.checkpoint import LoadedCodec, build_codec, load
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.codec import SEGMENT_CLASSES, Seec
from pipeline.codecs.seec.config import PATCH
from pipeline.codecs.table import find_codec, presets_folder, resolve
from pipeline.formats.bitstream import unpack
from pipeline.formats.picture import Pixels, read_picture, to_rgb

BLOCK = 16
"""Side of the blocks of `masks`' random map."""
NAIVE = "paper, plainly"
ROI_MODES = {"all exact": None, "background as predicted": 0, "background within 4 levels": 8}


def main() -> None:
    """Run one of the measurements."""
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(_child(json.loads(sys.argv[2]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    speed = ways.add_parser("speed", help="seconds and memory, ours and as published")
    speed.add_argument("--size", default="768x512", help="of the preset `paper`, and of the plain form")
    speed.add_argument("--screen-size", default="1280x720", help="of all others")
    speed.add_argument("--arms", nargs="*", default=["paper", NAIVE, "small", "screen"], help="random weights")
    speed.add_argument("--checkpoint", nargs="*", default=[], help="trained weights, beside the arms")
    speed.add_argument("--patches", type=int, default=0, help="the plain form takes so many only; 0: all")
    speed.add_argument("--picture", help="file to code, tiled to the size; default: half drawn, half smooth noise")
    speed.add_argument("--threads", type=int, default=2)
    speed.add_argument("--rounds", type=int, default=1, help="the least time of so many is shown")
    for name, what in (
        ("rates", "bits per sub-pixel beside peers"),
        ("masks", "what maps of classes cost"),
        ("roi", "inexact backgrounds"),
    ):
        way = ways.add_parser(name, help=what)
        way.add_argument("--checkpoint", nargs="+" if name == "rates" else 1, required=True)
        way.add_argument("--pictures", nargs="+", type=Path, required=True, help="folders")
        way.add_argument("--labels", nargs="+", type=Path, default=[], help="for each folder, one of its label maps")
        way.add_argument("--limit", type=int, default=0, help="pictures of each folder, evenly chosen; 0: all")
        if name == "rates":
            way.add_argument("--no-verify", action="store_true", help="do not decode what our codecs give")
            way.add_argument("--no-classes", action="store_true", help="peers do not code classes alone")
            way.add_argument("--json", type=Path, help="file for each picture's figures, one JSON object a line")
    arguments = parser.parse_args()
    if arguments.way != "speed":
        torch.set_num_threads(1)
        if arguments.labels and len(arguments.labels) != len(arguments.pictures):
            parser.error("--labels needs as many folders as --pictures")
    {"speed": _speed, "rates": _rates, "masks": _masks, "roi": _roi}[arguments.way](arguments)


# --- speed ----------------------------------------------------------------------------------------------------------


def _speed(arguments: argparse.Namespace) -> None:
    print("| codec | picture | encode, s | and choosing classes, s | decode, s | encode, MiB | decode, MiB |")
    print("|---|---|---|---|---|---|---|")
    decoding: dict[str, dict[str, float]] = {}
    scale, piece = 1.0, arguments.size
    for arm in [*arguments.arms, *arguments.checkpoint]:
        size = arguments.size if arm in ("paper", NAIVE) else arguments.screen_size
        if arm == NAIVE and arguments.patches:
            size, scale = _piece(arguments.size, arguments.patches)
            piece = size
        task = {"arm": arm, "size": size, "picture": arguments.picture}
        task |= {"threads": arguments.threads, "rounds": arguments.rounds}
        with tempfile.TemporaryDirectory() as folder:
            found = {}
            for way in ("encode", "decode") if arm == NAIVE else ("encode", "choose", "decode"):
                found[way] = _in_child({**task, "way": way, "file": str(Path(folder) / "streams")})
        decoding[arm] = found["decode"]
        seconds = [f"{found[way]['seconds']:.2f}" if way in found else "" for way in ("encode", "choose", "decode")]
        memory = [f"{found[way]['mib']:.0f}" for way in ("encode", "decode")]
        print(f"| {arm} | {size} | {' | '.join(seconds + memory)} |", flush=True)
    if "paper" in decoding and NAIVE in decoding:
        how = "" if scale == 1.0 else f"; plainly {piece}, scaled by {scale:.2f}, linearly"
        print(f"\nDecoding {arguments.size} plainly and by ours{how}:")
        for kind, name in (("seconds", "by the clock"), ("cpu_s", "of CPU")):
            theirs, ours = decoding[NAIVE][kind] * scale, decoding["paper"][kind]
            print(f"- {theirs:.1f} s and {ours:.1f} s {name}, ratio {theirs / ours:.2f}")
    print(f"\n{arguments.threads} threads, least of {arguments.rounds}, load {os.getloadavg()[0]:.1f}.")


def _piece(size: str, patches: int) -> tuple[str, float]:
    """Return the size of a piece of at most so many patches, and how many times as many the whole has."""
    width, height = map(int, size.split("x"))
    across, down = -(-width // PATCH), -(-height // PATCH)
    columns, rows = min(across, patches), min(down, max(1, patches // across))
    return f"{columns * PATCH}x{rows * PATCH}", across * down / (columns * rows)


def _in_child(task: dict[str, Any]) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.lossless", "--child", json.dumps(task)]
    # Threads that spin while they wait stall each other for seconds as soon as anything else runs.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if run.returncode:
        raise SystemExit(f"{task['arm']}, {task['way']}: {(run.stderr.strip().splitlines() or ['killed'])[-1]}")
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


@torch.no_grad()
def _child(task: dict[str, Any]) -> dict[str, float]:
    """Code one way; encoding leaves its streams for decoding."""
    torch.set_num_threads(task["threads"])
    codec = _codec(task["arm"])
    way, file = task["way"], Path(task["file"])
    width, height = map(int, task["size"].split("x"))
    picture, classes = _picture(task["picture"], height, width)
    small, small_classes = np.ascontiguousarray(picture[:PATCH, :PATCH]), classes[:PATCH, :PATCH]
    code = _plainly if task["arm"] == NAIVE else _ours
    streams = code(codec, "encode", small, small_classes, None)
    code(codec, way, small, small_classes, streams)
    if way == "decode":
        streams = _streams(file.read_text())
    # The peak so far, which is freezing's, becomes what is held now.
    Path("/proc/self/clear_refs").write_text("5")
    before, times, result = peak_mib(), [], streams
    for _ in range(task["rounds"]):
        began = time.perf_counter()
        result, cpu_s = timed(code, codec, way, picture, classes, streams)
        times.append((time.perf_counter() - began, cpu_s))
    mib = peak_mib() - before
    if way == "encode":
        numbered = result.items() if isinstance(result, dict) else enumerate(result)
        file.write_text(json.dumps({number: stream.hex() for number, stream in numbered}))
    elif way == "decode" and not np.array_equal(result, picture):
        raise SystemExit("it decodes to another picture")
    seconds, cpu_s = map(min, zip(*times, strict=True))
    return {"seconds": seconds, "cpu_s": cpu_s, "mib": mib}


def _streams(text: str) -> dict[int, bytes]:
    """Return the streams by their numbers: a codec's tags, or places in the plain form's list."""
    return {int(number): bytes.fromhex(stream) for number, stream in json.loads(text).items()}


def _ours(codec: Seec, way: str, picture: Pixels, classes: Classes, streams: Any) -> Any:
    if way == "decode":
        return codec.decompress(streams, height=picture.shape[0], width=picture.shape[1])
    label = np.minimum(classes, codec.config.num_classes - 1).astype(np.uint8) if way == "encode" else None
    return codec.compress(picture, SideInputs(label=label)).segments


def _plainly(codec: Seec, way: str, picture: Pixels, classes: Classes, streams: Any) -> Any:
    if way == "decode":
        return naive_seec.decode(codec, list(streams.values()) if isinstance(streams, dict) else streams, classes)
    return naive_seec.encode(codec, picture, classes)


def _codec(arm: str) -> Seec:
    """Return a checkpoint's codec, or a preset's with random weights."""
    spec = find_codec("seec")
    preset = "paper" if arm == NAIVE else arm
    if (presets_folder(spec) / f"{preset}.toml").is_file():
        torch.manual_seed(0)
        config: Any = load_config(resolve(spec.config), preset, presets=presets_folder(spec))  # type: ignore[arg-type]
        codec = build_codec("seec", config).eval()
        codec.freeze()
    else:
        codec = load(arm).codec
    assert isinstance(codec, Seec)
    return codec


def _picture(file: str | None, height: int, width: int) -> tuple[Pixels, Classes]:
    """Return a picture and classes, 0 on the left and 1 on the right."""
    classes = np.broadcast_to((np.arange(width) >= width // 2).astype(np.uint8), (height, width)).copy()
    if file:
        pixels = to_rgb(read_picture(Path(file).read_bytes(), where=file).pixels)
        repeats = (-(-height // pixels.shape[0]), -(-width // pixels.shape[1]), 1)
        return np.ascontiguousarray(np.tile(pixels, repeats)[:height, :width]), classes
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, -(-height // 8), -(-width // 8)))).float()
    smooth = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")[0, :, :height, :width]
    photographed = (smooth * 255).round().byte().permute(1, 2, 0).numpy()
    glyphs = np.where(rng.random((20, 8, 8, 1)) < 0.3, 20, [250, 250, 245]).astype(np.uint8)
    text = glyphs[rng.integers(20, size=(-(-height // 8), -(-width // 8)))].transpose(0, 2, 1, 3, 4)
    drawn = text.reshape(text.shape[0] * 8, -1, 3)[:height, :width]
    return np.ascontiguousarray(np.where(classes[:, :, None] == 1, photographed, drawn)), classes


# --- rates ----------------------------------------------------------------------------------------------------------


def _rates(arguments: argparse.Namespace) -> None:
    codecs = {path: warm(path) for path in arguments.checkpoint}
    others, missing = peers()
    rates: list[Rate] = []
    with contextlib.ExitStack() as stack:
        lines: IO[str] | None = stack.enter_context(arguments.json.open("w")) if arguments.json else None
        for shown in shown_in(arguments.pictures, arguments.labels, arguments.limit):
            of_picture: list[Rate] = []
            classes: Classes | None = None
            for path, loaded in codecs.items():
                rate, encoded = rate_of_ours(path, loaded, shown, verify=not arguments.no_verify)
                of_picture.append(rate)
                if classes is None:
                    classes = classes_in(loaded, encoded.data)
            split = None if arguments.no_classes else classes
            of_picture += [measured(peer, shown, split) for peer in others]
            rates += of_picture
            for rate in of_picture if lines is not None else []:
                print(json.dumps(dataclasses.asdict(rate)), file=lines, flush=True)
    for folder in dict.fromkeys(rate.folder for rate in rates):
        inside = [rate for rate in rates if rate.folder == folder]
        groups = list(dict.fromkeys(rate.group for rate in inside))
        print_table(folder, inside, missing)
        for group in groups if len(groups) > 1 else []:
            title = f"{folder}/{group}" if group else f"{folder}, not in a sub-folder"
            print_table(title, [rate for rate in inside if rate.group == group], missing)
    print(
        "\nBytes of whole files over all pictures; seconds are of CPU, one thread. Classes: of ours, what the pixels of"
        "\na class cost in the stream, each checkpoint by its own choice unless labels are given; of peers, a picture"
        "\nof that class's pixels (as the first checkpoint has them), all others grey, over the class's sub-pixels."
    )


# --- maps and regions of interest -----------------------------------------------------------------------------------


def _masks(arguments: argparse.Namespace) -> None:
    loaded = warm(arguments.checkpoint[0])
    totals: dict[str, list[int]] = {}
    count = 0
    for shown in shown_in(arguments.pictures, arguments.labels, arguments.limit):
        count += 1
        for kind, label in _maps(loaded, shown):
            encoded = compress_picture(loaded, shown.pixels, SideInputs(label=label))
            checked(loaded, encoded, shown.pixels, where=f"{shown.name}, {kind}")
            map_size = len(unpack(encoded.data).segments.get(SEGMENT_CLASSES, b""))
            bits = totals.setdefault(kind, [0, 0])
            bits[0] += len(encoded.data)
            bits[1] += map_size
    print("| map of classes | bytes | of which the map | against the cheapest |\n| --- | ---: | ---: | ---: |")
    for kind, (num_bytes, map_size) in totals.items():
        change = num_bytes / totals["cheapest"][0] - 1
        print(f"| {kind} | {num_bytes} | {map_size} | {change:+.2%} |")
    print(f"\n{count} pictures; all of them decode to the same pixels.")


def _maps(loaded: LoadedCodec, shown: Shown) -> Iterator[tuple[str, Classes]]:
    cheapest = classes_in(loaded, compress_picture(loaded, shown.pixels).data)
    count = loaded.codec.config.num_classes
    yield "cheapest", cheapest
    if shown.label is not None:
        yield "given", shown.label
    for of_class in range(count):
        yield f"all {of_class}", np.full_like(cheapest, of_class)
    yield "inverted", (count - 1 - cheapest).astype(np.uint8)
    height, width = cheapest.shape
    blocks = np.random.default_rng(0).integers(count, size=(-(-height // BLOCK), -(-width // BLOCK)), dtype=np.uint8)
    yield f"random blocks of {BLOCK}x{BLOCK}", np.kron(blocks, np.ones((BLOCK, BLOCK), np.uint8))[:height, :width]


def _roi(arguments: argparse.Namespace) -> None:
    loaded = warm(arguments.checkpoint[0])
    sums = {mode: dict.fromkeys(("bytes", "encode", "decode", "squares", "most"), 0.0) for mode in ROI_MODES}
    background = total = 0
    for shown in shown_in(arguments.pictures, arguments.labels, arguments.limit):
        label = shown.label
        if label is None:
            label = classes_in(loaded, compress_picture(loaded, shown.pixels).data)
        exact = (label == 0) | (label == 255)
        background += int((~exact).sum())
        total += exact.size
        for mode, step in ROI_MODES.items():
            side = SideInputs(label=label)
            if step is not None:
                side = SideInputs(label=label, exact=exact, background_step=step)
            encoded, encode_s = timed(compress_picture, loaded, shown.pixels, side)
            decoded, decode_s = timed(decompress_picture, loaded, encoded.data)
            error = np.abs(decoded.astype(np.int64) - shown.pixels)
            if error[exact].any() or (step is None and error.any()):
                raise SystemExit(f"{shown.name}, {mode}: pixels that had to be exact are not")
            sums[mode]["most"] = max(sums[mode]["most"], float(error.max()))
            found = (len(encoded.data), encode_s, decode_s, float((error[~exact] ** 2).sum()))
            for name, value in zip(("bytes", "encode", "decode", "squares"), found, strict=True):
                sums[mode][name] += value
    print("| mode | bytes | encode, s | decode, s | PSNR of the background, dB | largest error |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for mode, found_in in sums.items():
        mse = found_in["squares"] / max(1, 3 * background)
        psnr = f"{10 * np.log10(255**2 / mse):.2f}" if mse else "exact"
        cells = f"{found_in['bytes']:.0f} | {found_in['encode']:.2f} | {found_in['decode']:.2f} | {psnr}"
        print(f"| {mode} | {cells} | {found_in['most']:.0f} |")
    print(f"\nThe background, class 1 and above, is {background / max(1, total):.1%} of the pixels.")


if __name__ == "__main__":
    main()
