"""The price of integer arithmetic: `python -m benchmarks.exactness --pictures DIR CHECKPOINT...`.

Rate: bytes of all segments beside what the float networks' likelihoods announce for the same pictures; the difference
is what integer weights, table probabilities and the coder's ends cost. Time: from segments to the dequantised latent in
integers, beside the float networks that give the same means and scales; both on the same picture, least of three.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pipeline.codecs import checkpoint
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.mtl_sci.charm import MtlSciCharm
from pipeline.codecs.segpic.codec import SegPic
from pipeline.formats.picture import Pixels, read_picture, to_rgb


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("checkpoints", nargs="+")
    arguments = parser.parse_args()
    files = sorted(arguments.pictures.glob("*.png"))[: arguments.limit]
    pictures = [to_rgb(read_picture(file.read_bytes(), where=str(file)).pixels) for file in files]
    print("| checkpoint | announced, bytes | written, bytes | difference | integer latent, ms | float networks, ms |")
    print("|---|---|---|---|---|---|")
    for location in arguments.checkpoints:
        print(_row(location, pictures), flush=True)


@torch.no_grad()
def _row(location: str, pictures: list[Pixels]) -> str:
    codec = checkpoint.load(location).codec.eval()
    announced = written = 0.0
    for picture in pictures:
        output = codec(_as_input(picture))
        announced += sum(float(-one.double().log2().sum()) / 8 for one in output.likelihoods.values())
        segments = codec.compress(picture, SideInputs()).segments
        written += sum(len(data) for data in segments.values())
    times = _times(codec, pictures[0])
    shown = " | ".join("-" if one is None else f"{1000 * one:.0f}" for one in times)
    price = 100 * (written / announced - 1)
    return f"| {location} | {announced:.0f} | {written:.0f} | {price:+.2f} % | {shown} |"


def _as_input(picture: Pixels) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def _times(codec: Any, picture: Pixels) -> tuple[float | None, float | None]:
    """Return the seconds of the integer and of the float networks that yield the latent."""
    height, width, _ = picture.shape
    segments = codec.compress(picture, SideInputs()).segments
    if not isinstance(codec, SegPic | MtlSciCharm):
        return None, None
    integer = _least(lambda: codec.decode_latent(segments, height=height, width=width))
    n, m = codec.config.num_channels, codec.config.num_latents
    h, w = -(-height // 64) * 4, -(-width // 64) * 4
    z, y = torch.zeros(1, n, h // 4, w // 4), torch.zeros(1, m, h, w)

    def floats() -> Any:
        means, scales = codec.hyper_means(z), codec.hyper_scales(z)
        if isinstance(codec, SegPic) and codec.means_rat is not None and codec.scales_rat is not None:
            _, coarse = codec._regions(torch.zeros(1, 3, 16 * h, 16 * w), None)
            prototypes = coarse.means(y)
            means, scales = (
                rat(x, prototypes, coarse) for rat, x in ((codec.means_rat, means), (codec.scales_rat, scales))
            )
        return codec.slices(y, means, scales)

    return integer, _least(floats)


def _least(run: Callable[[], Any]) -> float:
    spent = []
    for _ in range(4):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return min(spent[1:])


if __name__ == "__main__":
    main()
