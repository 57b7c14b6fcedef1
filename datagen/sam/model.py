"""Segment Anything's network (Kirillov et al., arXiv:2304.02643), from a checkpoint that the user has.

Its size is read from the weights themselves, so ViT-B, -L, -H and smaller ones all load; only tensors are loaded, never
code.
"""

from functools import partial
from pathlib import Path
from typing import Any

from pipeline.base.errors import CheckpointError

_MEAN, _STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
"""Of ImageNet's RGB in 0..255, as in segment_anything/build_sam.py."""
_DECODER_HEADS = 8
_WINDOW = 14
MODELS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
"""The published models by the width of their encoder."""


def load_sam(checkpoint: Path) -> Any:
    """Return a `segment_anything` Sam with the checkpoint's weights, in evaluation mode. Raises: CheckpointError."""
    import pickle

    import torch

    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{checkpoint}: not a checkpoint of tensors ({_first_line(error)})") from error
    try:
        sam = _build(state)
        sam.load_state_dict(state)
    except (KeyError, RuntimeError, AttributeError, TypeError, IndexError, ValueError) as error:
        raise CheckpointError(f"{checkpoint}: not a Segment Anything checkpoint ({_first_line(error)})") from error
    return sam.eval()


def model_name(sam: Any) -> str:
    """Return `vit_b`, `vit_l` or `vit_h`, or `vit WIDTH x DEPTH` of another size."""
    width, depth = sam.image_encoder.patch_embed.proj.out_channels, len(sam.image_encoder.blocks)
    return MODELS.get(width, f"vit-{width}x{depth}")


def _build(state: dict[str, Any]) -> Any:
    """Return an untrained Sam of the size that `state` was saved from."""
    from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    neck = int(state["image_encoder.neck.0.weight"].shape[0])
    encoder = _build_encoder(state, neck)
    grid = encoder.img_size // encoder.patch_embed.proj.kernel_size[0]
    mask_channels = int(state["prompt_encoder.mask_downscaling.3.weight"].shape[0])
    transformer = TwoWayTransformer(
        depth=_count(state, "mask_decoder.transformer.layers."),
        embedding_dim=neck,
        mlp_dim=int(state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0]),
        num_heads=_DECODER_HEADS,
    )
    head = "mask_decoder.iou_prediction_head.layers."
    return Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(
            embed_dim=neck,
            image_embedding_size=(grid, grid),
            input_image_size=(encoder.img_size, encoder.img_size),
            mask_in_chans=mask_channels,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=int(state["mask_decoder.mask_tokens.weight"].shape[0]) - 1,
            transformer=transformer,
            transformer_dim=neck,
            iou_head_depth=_count(state, head),
            iou_head_hidden_dim=int(state[f"{head}0.weight"].shape[0]),
        ),
        pixel_mean=_MEAN,
        pixel_std=_STD,
    )


def _build_encoder(state: dict[str, Any], neck: int) -> Any:
    import torch
    from segment_anything.modeling import ImageEncoderViT

    patch = int(state["image_encoder.patch_embed.proj.weight"].shape[-1])
    _, grid, _, width = state["image_encoder.pos_embed"].shape
    depth = _count(state, "image_encoder.blocks.")
    # A global block has one relative position for each pair of rows of the grid, a windowed block for its window.
    spans = [int(state[f"image_encoder.blocks.{block}.attn.rel_pos_h"].shape[0]) for block in range(depth)]
    windows = [(span + 1) // 2 for span in spans if span != 2 * grid - 1]
    head_width = int(state["image_encoder.blocks.0.attn.rel_pos_h"].shape[1])
    return ImageEncoderViT(
        img_size=int(grid) * patch,
        patch_size=patch,
        embed_dim=int(width),
        depth=depth,
        num_heads=int(width) // head_width,
        mlp_ratio=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / int(width),
        out_chans=neck,
        qkv_bias=True,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=windows[0] if windows else _WINDOW,
        global_attn_indexes=tuple(block for block, span in enumerate(spans) if span == 2 * grid - 1),
    )


def _count(state: dict[str, Any], prefix: str) -> int:
    """Return how many numbered modules there are below `prefix`."""
    return len({name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)})


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
