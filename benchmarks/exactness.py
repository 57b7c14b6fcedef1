"""The price of integer arithmetic: `python -m benchmarks.exactness --pictures DIR CHECKPOINT...`.

Rate: bytes of the latent y as written, beside those of the same coder and tables told the means and scales that the
float networks give; and what the float likelihoods announce for all segments. Time: from segments to the dequantised
latent in integers, beside the float networks that give the same means and scales; the first picture, least of three.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pipeline.codecs import checkpoint, rans
from pipeline.codecs.charm import Predicted
from pipeline.codecs.integer_net import FRACTION
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.mtl_sci.charm import _indexes as charm_indexes
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
    print("| checkpoint | y by floats | y written | price | all announced | all written | integer, ms | float, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for location in arguments.checkpoints:
        print(_row(location, pictures), flush=True)


@torch.no_grad()
def _row(location: str, pictures: list[Pixels]) -> str:
    codec: Any = checkpoint.load(location).codec.eval()
    told: list[Predicted] = []
    codec.slices.register_forward_hook(lambda _module, _inputs, output: told.append(output))
    announced = by_floats = written = y_written = 0.0
    for picture in pictures:
        told.clear()
        output = codec(_as_input(picture))
        announced += sum(float(-one.double().log2().sum()) / 8 for one in output.likelihoods.values())
        by_floats += _bytes_by_floats(codec, told[0])
        segments = codec.compress(picture, SideInputs()).segments
        written += sum(len(data) for data in segments.values())
        y_written += len(segments[1])
    times = " | ".join(f"{1000 * one:.0f}" for one in _times(codec, pictures[0]))
    price = f"{100 * (y_written / by_floats - 1):+.2f} %"
    return f"| {location} | {by_floats:.0f} | {y_written:.0f} | {price} | {announced:.0f} | {written:.0f} | {times} |"


def _bytes_by_floats(codec: Any, predicted: Predicted) -> int:
    scales = predicted.scales[0].double() * 2.0**FRACTION
    indexes = codec.frozen.indexes(scales) if isinstance(codec, SegPic) else charm_indexes(scales)
    symbols = predicted.symbols[0].int().numpy()
    return len(rans.encode(symbols, indexes.to(torch.uint8).numpy(), codec.frozen.y_tables.load()))


def _as_input(picture: Pixels) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def _times(codec: Any, picture: Pixels) -> tuple[float, float]:
    """Return the seconds of the integer and of the float networks that yield the latent."""
    height, width, _ = picture.shape
    segments = codec.compress(picture, SideInputs()).segments
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
