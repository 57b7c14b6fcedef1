"""The config of one training run."""

from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pipeline.base.config import load, to_table
from pipeline.base.errors import ConfigError
from pipeline.codecs.table import find_codec, presets_folder, resolve

PRESETS = Path(__file__).parent / "presets"

CHANGEABLE = frozenset(
    {
        "steps",
        "report_every",
        "validate_every",
        "validate_bitstreams",
        "validate_pictures",
        "checkpoint_every",
        "keep_checkpoints",
        "max_skips_in_a_row",
        "accumulate",
        "compile",
        "tensorboard",
        "wandb",
        "mlflow",
        "lambdas",
        "cache_mib",
        "decode_workers",
        "num_workers",
        "min_workers",
        "resize_every_s",
        "num_nodes",
        "threads_per_worker",
        "use_gpu",
        "placement",
        "max_failures",
        "storage_patience_s",
        "ray_address",
    }
)
"""Keys that may differ between a run and its continuation: they change where and how long, not what is learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What is trained, on how much, and where. A crop is one training example; a sample is one corpus picture."""

    codec: str = "mtl_sci"
    codec_preset: str = "tiny"
    """Preset of the codec's own config, or a path to a TOML file."""
    codec_set: tuple[str, ...] = ()
    """`a.b=value` changes to that preset."""
    seed: int = 0

    lambda_rd: float = 0.01
    """Weight of 255^2 * MSE against bits per pixel."""
    lambdas: tuple[float, ...] = ()
    """Train one model for each of these instead, one after another, in folders `lambda-VALUE` of the run's."""
    rate_lambdas: tuple[float, ...] = ()
    """Of a codec with several rates (`num_rates`): the lambda of each, rising; stand in the place of `lambda_rd`. Each
    crop is trained at one of them, by chance."""
    gamma: float = 0.1
    """Weight of the label map's binary cross-entropy (nats a pixel); 0 trains no segmentation."""

    steps: int = 1000
    batch_size: int = 16
    """Crops a step, over all workers."""
    accumulate: int = 1
    """Parts that a worker's crops of a step pass through the network in, one after another: less memory, same step."""
    crop: int = 128
    """Side of the square crops, in pixels."""
    crops_per_picture: int = 4
    """Crops cut from a picture each time it is decoded; divides `batch_size`."""
    scale_to: int = 0
    """Short side, in pixels, that pictures are scaled to before they are cut; 0 leaves them as they are. For codecs
    that learn what a picture shows, which a crop of a large one does not tell."""
    flip_probability: float = 0.5
    """Share of crops mirrored left to right."""
    crop_shares: tuple[float, ...] = ()
    """Shares of the crops whose centre is a natural pixel, a synthetic one, and within 4 pixels of where the two meet,
    such as [0.3, 0.3, 0.4]; what they leave of 1 lies anywhere, and so do all crops if this is empty."""
    regions: Literal["corpus", "grid"] = "corpus"
    """What a codec that trains with region maps is given: those of the corpus, or none (it then takes a grid)."""
    trunk_weights: str = ""
    """File with the first weights of a part of the codec, such as VGG-16's of ImageNet; read once, by a new run, and
    every worker must see it under this path. Empty: fresh weights."""
    init_from: str = ""
    """Checkpoint folder or weights file whose weights a new run begins with; every worker must see it under this path.
    Empty: fresh weights."""
    train_split: str = "train"
    val_split: str = "val"

    learning_rate: float = 1e-4
    aux_learning_rate: float = 1e-3
    """Of the entropy models' quantiles, which have an optimiser of their own."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises linearly from 0."""
    schedule: Literal["cosine", "plateau"] = "cosine"
    """How the learning rate falls: by a cosine at the run's end, or whenever the validation loss stays where it is."""
    decay_share: float = 0.5
    """Share of the run, at its end, over which the learning rate falls as a cosine to `final_rate`."""
    final_rate: float = 0.02
    """Lowest learning rate, as a share of `learning_rate`; with `cosine` that of the last step."""
    plateau_patience: int = 5
    """Validations in a row without a lower loss, after which `plateau` lowers the learning rate."""
    plateau_factor: float = 0.5
    """What it multiplies the learning rate by."""
    ema_decay: float = 0.0
    """Of the exponential moving average of the weights, a step; 0 keeps none. With one, it is the average that is
    validated and exported."""
    max_gradient_norm: float = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    """Compile the training step by torch.compile; a codec that cannot be compiled whole is refused."""
    max_skips_in_a_row: int = 20
    """A step whose gradient is not finite is left out and counted; this many in a row end the run."""

    report_every: int = 10
    """Steps between two lines of metrics.jsonl."""
    validate_every: int = 200
    """Steps between two validations; 0 validates never."""
    validate_crops: int = 32
    validate_bitstreams: int = 4
    """Of these crops, how many are coded to bitstreams at each validation, for their real rate."""
    validate_pictures: int = 4
    """Of these crops, how many are shown in the picture that each validation writes; 0 writes none."""
    checkpoint_every: int = 500
    keep_checkpoints: int = 3
    tensorboard: bool = False
    """Write curves and pictures as TensorBoard event files as well, in the run's folder."""
    wandb: bool = False
    """Tell Weights & Biases; $WANDB_PROJECT and $WANDB_MODE (such as `offline`) say where and how."""
    mlflow: bool = False
    """Tell MLflow; $MLFLOW_TRACKING_URI says where, default: a folder of files in the run's folder."""

    num_workers: int = 2
    min_workers: int = 0
    """Fewest workers that the run starts or goes on with where the cluster has no room for `num_workers`, growing again
    when it has (elastic training); 0 waits for all."""
    resize_every_s: float = 60.0
    """With `min_workers`: seconds between two looks whether there is room for more. Growing takes the steps since the
    last checkpoint again."""
    num_nodes: int = 0
    """Nodes that the workers are spread over evenly; 0 leaves it to `placement`."""
    threads_per_worker: int = 1
    use_gpu: bool = False
    """One GPU a worker (NCCL) instead of CPU threads (Gloo)."""
    placement: Literal["PACK", "SPREAD", "STRICT_SPREAD"] = "PACK"
    """How Ray places workers on nodes: together, apart if possible, or apart."""
    max_failures: int = 2
    """Times Ray restarts the workers from the newest checkpoint after one of them died."""
    storage_patience_s: float = 300.0
    """Seconds that writing to the run's folder is tried again, while the workers wait, before that is a failure."""
    ray_address: str = ""
    """Cluster to join: `host:port`, `ray://host:port`, or `auto` for the one that this machine is part of; empty or
    `local` starts one on this machine, on loopback (empty: unless $RAY_ADDRESS names one)."""
    cache_mib: int = 256
    """Memory for decoded pictures, a worker, in MiB; its decoders share it."""
    decode_workers: int = 0
    """Processes that read, decode and cut for each worker; 0: a thread of the worker does."""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("flip_probability", "decay_share", "final_rate", "plateau_factor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in 0..1, got {getattr(self, name)}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, got {self.ema_decay}")
        if self.schedule == "plateau" and not self.validate_every:
            raise ValueError("schedule plateau needs validations; set validate_every")
        if self.accumulate > 1 and self.accumulate * self.num_workers > self.batch_size:
            raise ValueError(
                f"accumulate {self.accumulate} is more than the crops of a step on each of {self.num_workers} workers "
                f"(batch_size {self.batch_size})"
            )
        if len(set(self.lambdas)) < len(self.lambdas) or any(value <= 0 for value in self.lambdas):
            raise ValueError(f"lambdas must be positive and differ from one another, got {list(self.lambdas)}")
        _check_rate_lambdas(self.rate_lambdas)
        if self.rate_lambdas and self.lambdas:
            raise ValueError("rate_lambdas train one model for all rates, lambdas one for each; leave one of them out")
        if self.init_from and self.trunk_weights:
            raise ValueError("init_from and trunk_weights both give the first weights; leave one of them out")
        if self.crop_shares and (
            len(self.crop_shares) != 3 or min(self.crop_shares) < 0 or not 0 < sum(self.crop_shares) <= 1 + 1e-9
        ):
            raise ValueError(
                f"crop_shares must be three shares (natural, synthetic, boundary) of at most 1 in all, "
                f"got {list(self.crop_shares)}"
            )
        if self.num_nodes and self.num_workers % self.num_nodes:
            raise ValueError(
                f"num_workers {self.num_workers} must be a multiple of num_nodes {self.num_nodes}: a node with fewer "
                f"workers would wait for the others"
            )
        if self.min_workers > self.num_workers:
            raise ValueError(f"min_workers {self.min_workers} must not be above num_workers {self.num_workers}")
        if self.min_workers and (self.num_nodes or self.placement == "STRICT_SPREAD"):
            raise ValueError(
                "min_workers leaves the number of workers to the cluster; leave num_nodes and STRICT_SPREAD out"
            )
        if 0 < self.scale_to < self.crop:
            raise ValueError(f"scale_to {self.scale_to} must be 0 or at least crop {self.crop}")
        if self.batch_size % self.crops_per_picture:
            raise ValueError(
                f"batch_size {self.batch_size} must be a multiple of crops_per_picture {self.crops_per_picture}"
            )

    @property
    def samples_per_batch(self) -> int:
        """Pictures read for one step, over all workers."""
        return self.batch_size // self.crops_per_picture


def _check_rate_lambdas(values: tuple[float, ...]) -> None:
    if any(value <= 0 for value in values) or any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"rate_lambdas must be positive and rise, got {list(values)}")


_POSITIVE = (
    "resize_every_s",
    "lambda_rd",
    "steps",
    "batch_size",
    "crop",
    "crops_per_picture",
    "accumulate",
    "plateau_patience",
    "learning_rate",
    "aux_learning_rate",
    "max_gradient_norm",
    "max_skips_in_a_row",
    "report_every",
    "validate_crops",
    "checkpoint_every",
    "keep_checkpoints",
    "num_workers",
    "threads_per_worker",
)
_NOT_NEGATIVE = (
    "gamma",
    "warmup_steps",
    "validate_every",
    "validate_bitstreams",
    "validate_pictures",
    "max_failures",
    "min_workers",
    "storage_patience_s",
    "cache_mib",
    "decode_workers",
    "num_nodes",
    "seed",
    "scale_to",
)


def needs_regions(config: TrainConfig) -> bool:
    """Return whether training reads the corpus's region maps. Raises: ConfigError: there is no such codec."""
    return config.regions == "corpus" and "regions" in find_codec(config.codec).training_inputs


def needs_labels(config: TrainConfig) -> bool:
    """Return whether the codec is told each pixel's class. Raises: ConfigError: there is no such codec."""
    return "label" in find_codec(config.codec).training_inputs


def needs_classes(config: TrainConfig) -> bool:
    """Return whether the codec learns what pictures show. Raises: ConfigError: there is no such codec."""
    return "classes" in find_codec(config.codec).training_inputs


def class_names(config: TrainConfig) -> tuple[str, ...]:
    """Return the classes that the codec learns; none if it learns none, or they are to be taken from the corpus."""
    return tuple(codec_config(config).class_names) if needs_classes(config) else ()


def codec_config(config: TrainConfig) -> Any:
    """Return the config dataclass of the codec that is to be trained.

    Raises: ConfigError: it is none, or has another number of rates than the training; MissingDependency.
    """
    spec = find_codec(config.codec)
    found = load(
        resolve(spec.config),  # type: ignore[arg-type]
        config.codec_preset,
        presets=presets_folder(spec),
        overrides=config.codec_set,
    )
    num_rates, num_lambdas = getattr(found, "num_rates", 1), len(config.rate_lambdas)
    if num_lambdas != (num_rates if num_rates > 1 else 0):
        wanted = f"{num_rates} of them" if num_rates > 1 else "none"
        raise ConfigError(
            f"rate_lambdas: the codec has num_rates = {num_rates}, which needs {wanted}, got {num_lambdas}"
        )
    return found


def check_continuation(before: dict[str, Any], config: TrainConfig, *, where: str) -> None:
    """Refuse to continue a run under another config. `before` is the run's config as a table.

    Raises: ConfigError: names the first key that differs and both values.
    """
    now = to_table(config)
    for field in fields(config):
        # A run of an earlier release lacks keys that are newer; it had what is now their default.
        name, default = field.name, field.default
        was, wanted = _plain(before.get(name, default)), _plain(now.get(name, default))
        if name not in CHANGEABLE and was != wanted:
            raise ConfigError(f"{where}: the run was started with {name} = {was!r}, now it is {wanted!r}")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
