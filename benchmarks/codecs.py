"""MPix/s and peak memory of the learned codecs: `python -m benchmarks.codecs [--sizes 1280x720] [--batches 1 8]`.

Ours at paper size beside CompressAI's models of the same family, all with random weights (CompressAI's random latents
are almost all zero, so its entropy coder has little to do; ours start as a wavelet transform and code real symbols).
Each arm runs in a process of its own, which codes once to warm up and then measures; memory is the process's peak less
what it held before coding. Time is split into networks, entropy coding and the rest, each without what it calls of the
others. With an integer synthesis "encode" includes the whole decoder, since the bitstream carries its pixels' checksum.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from benchmarks.memory import peak_mib
from pipeline.formats.picture import read_picture

OURS = {
    "mtl_sci, hyperprior, float synthesis": ("mtl_sci", "paper", ["synthesis=float"]),
    "mtl_sci, hyperprior, integer synthesis": ("mtl_sci", "paper", []),
    "mtl_sci, charm, float synthesis": ("mtl_sci", "paper_charm", ["synthesis=float"]),
    "mtl_sci, charm, integer synthesis": ("mtl_sci", "paper_charm", []),
    "segpic": ("segpic", "paper", []),
    "segpic, small": ("segpic", "small", []),
}
PEERS = {
    "CompressAI bmshj2018-hyperprior (192, 192)": ("ScaleHyperprior", (192, 192)),
    "CompressAI mbt2018-mean (192, 320)": ("MeanScaleHyperprior", (192, 320)),
    "CompressAI ELIC (192, 320)": ("Elic2022Official", (192, 320)),
    "CompressAI cheng2020-attn (192)": ("Cheng2020Attention", (192,)),
}
Work = Callable[[], Any]


def main() -> None:
    """Measure the arms one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["1280x720"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1])
    parser.add_argument("--arms", nargs="+", default=[*OURS, *PEERS])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3, help="the least time of so many is shown")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds an arm may take")
    parser.add_argument("--picture", help="file to code, tiled to the size; default: smooth noise")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_measure(json.loads(arguments.child))))
        return
    print("| codec | picture | batch | encode, MPix/s | decode, MPix/s | encode, s | decode, s | MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in arguments.sizes:
        for batch in arguments.batches:
            for arm in arguments.arms:
                print(_row(arm, size, batch, arguments), flush=True)


def _row(arm: str, size: str, batch: int, arguments: argparse.Namespace) -> str:
    task = {
        "arm": arm,
        "size": size,
        "batch": batch,
        "threads": arguments.threads,
        "picture": arguments.picture,
        "rounds": arguments.rounds,
    }
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.codecs", "--child", json.dumps(task)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=arguments.timeout)
    except subprocess.TimeoutExpired:
        return f"| {arm} | {size} | {batch} | over {arguments.timeout:.0f} s | | | | |"
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["killed"])[-1]
        return f"| {arm} | {size} | {batch} | failed: {reason} | | | | |"
    found = json.loads(run.stdout.splitlines()[-1])
    splits = (" / ".join(f"{one:.2f}" for one in found[way]) for way in ("encode", "decode"))
    speeds = (f"{found['mpix'] / sum(found[way]):.3f}" for way in ("encode", "decode"))
    return f"| {arm} | {size} | {batch} | {' | '.join(speeds)} | {' | '.join(splits)} | {found['mib']:.0f} |"


def _measure(task: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(task["threads"])
    width, height = map(int, task["size"].split("x"))
    pictures = _pictures(task["picture"], height, width, task["batch"])
    torch.manual_seed(0)
    with torch.no_grad():
        warm_up = _pictures(task["picture"], 128, 128, 1)
        build = _ours if task["arm"] in OURS else _peer
        make = build(task["arm"])
        encode, decode = make(warm_up)
        decode(encode())
        before = peak_mib()
        encode, decode = make(pictures)
        clock = _Clock()
        with clock.watching():
            encode_splits, decode_splits = [], []
            for _ in range(task["rounds"]):
                clock.take()
                coded = encode()
                encode_splits.append(clock.take())
                decode(coded)
                decode_splits.append(clock.take())
    return {
        "encode": min(encode_splits, key=sum),
        "decode": min(decode_splits, key=sum),
        "mpix": width * height * task["batch"] / 1e6,
        "mib": peak_mib() - before,
    }


def _pictures(file: str | None, height: int, width: int, count: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    if file:
        with open(file, "rb") as stream:
            pixels = read_picture(stream.read(), where=file).pixels[:, :, :3]
        repeats = (-(-height // pixels.shape[0]), -(-width // pixels.shape[1]), 1)
        one = np.tile(pixels, repeats)[:height, :width]
        return [np.ascontiguousarray(np.roll(one, 37 * number, axis=1)) for number in range(count)]
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((count, 3, -(-height // 8), -(-width // 8)))).float()
    smooth = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")[:, :, :height, :width]
    return list((smooth * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy())


def _ours(arm: str) -> Callable[[Any], tuple[Work, Callable[[Any], Any]]]:
    from pipeline.base.config import load
    from pipeline.codecs.checkpoint import LoadedCodec, build_codec
    from pipeline.codecs.coding import compress_pictures, decompress_pictures
    from pipeline.codecs.table import find_codec, presets_folder, resolve

    name, preset, changes = OURS[arm]
    spec = find_codec(name)
    codec = build_codec(name, load(resolve(spec.config), preset, presets=presets_folder(spec), overrides=changes))  # type: ignore[arg-type]
    codec.freeze()
    codec.eval()
    loaded = LoadedCodec(spec=spec, codec=codec, weights_sha256="0" * 64)

    def make(pictures: Any) -> tuple[Work, Callable[[Any], Any]]:
        if len(pictures) == 1:
            from pipeline.codecs.coding import compress_picture, decompress_picture

            return (
                lambda: compress_picture(loaded, pictures[0]),
                lambda one: decompress_picture(loaded, one.data),
            )
        return (
            lambda: compress_pictures(loaded, pictures),
            lambda coded: decompress_pictures(loaded, [one.data for one in coded]),
        )

    return make


def _peer(arm: str) -> Callable[[Any], tuple[Work, Callable[[Any], Any]]]:
    import compressai.models

    kind, widths = PEERS[arm]
    net = getattr(compressai.models, kind)(*widths).eval()
    net.update(force=True)

    def make(pictures: Any) -> tuple[Work, Callable[[Any], Any]]:
        x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        height, width = x.shape[2:]
        x = torch.nn.functional.pad(x, (0, -width % 64, 0, -height % 64))

        def encode() -> Any:
            return net.compress(x)

        def decode(coded: Any) -> Any:
            return (net.decompress(strings=coded["strings"], shape=coded["shape"])["x_hat"] * 255).byte()

        return encode, decode

    return make


class _Clock:
    """Time by kind, without what is called of another kind; threads' times add up and are scaled to the wall clock."""

    NAMES = ("networks", "coding", "rest")

    def __init__(self) -> None:
        self._local = threading.local()
        self._spent = {"networks": 0.0, "coding": 0.0}
        self._lock = threading.Lock()
        self._began = time.perf_counter()
        self._threads: set[int] = set()

    def take(self) -> tuple[float, float, float]:
        wall = time.perf_counter() - self._began
        share = max(1, len(self._threads))
        networks, coding = (self._spent[name] / share for name in ("networks", "coding"))
        self._spent = dict.fromkeys(self._spent, 0.0)
        self._threads = set()
        self._began = time.perf_counter()
        return networks, coding, max(0.0, wall - networks - coding)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Wrap modules' calls and the entropy coders' functions for the rest of the process."""
        from pipeline.codecs import rans

        torch.nn.Module.__call__ = self._timed("networks", torch.nn.Module.__call__)  # type: ignore[method-assign]
        rans.encode = self._timed("coding", rans.encode)
        rans.decode = self._timed("coding", rans.decode)
        rans.RansDecoder.take = self._timed("coding", rans.RansDecoder.take)  # type: ignore[method-assign]
        if "compressai" in sys.modules:
            from compressai.entropy_models import EntropyModel

            EntropyModel.compress = self._timed("coding", EntropyModel.compress)
            EntropyModel.decompress = self._timed("coding", EntropyModel.decompress)
        self._began = time.perf_counter()
        yield

    def _timed(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            stack: list[list[Any]] = getattr(self._local, "stack", None) or []
            self._local.stack = stack
            if stack and stack[-1][0] == kind:
                return function(*args, **kwargs)
            began = time.perf_counter()
            stack.append([kind, 0.0])
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.perf_counter() - began
                _, inner = stack.pop()
                if stack:
                    stack[-1][1] += spent
                with self._lock:
                    self._threads.add(threading.get_ident())
                    self._spent[kind] += spent - inner

        return run


if __name__ == "__main__":
    main()
