"""A Segment Anything checkpoint with random weights, small enough for a test: the package's own parts, all of them."""

from functools import partial
from pathlib import Path
from typing import Any


def tiny_sam(seed: int = 3, *, score: float = 1.0) -> Any:
    """Return a Sam of 64 pixels a side with three blocks, whose random masks pass the quality thresholds in part."""
    import torch
    from segment_anything import modeling

    torch.manual_seed(seed)
    sam = modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            img_size=64,
            patch_size=16,
            embed_dim=32,
            depth=3,
            num_heads=2,
            mlp_ratio=2,
            out_chans=32,
            qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=3,
            global_attn_indexes=(2,),
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=32, image_embedding_size=(4, 4), input_image_size=(64, 64), mask_in_chans=8
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=3,
            transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=8),
            transformer_dim=32,
            iou_head_depth=2,
            iou_head_hidden_dim=16,
        ),
    )
    # An untrained network is sure of nothing; large logits and scores let its masks pass the quality thresholds.
    with torch.no_grad():
        head_of_scores = sam.mask_decoder.iou_prediction_head.layers[-1]
        head_of_scores.weight.mul_(20)
        head_of_scores.bias.fill_(score)
        for head in sam.mask_decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.mul_(100_000)
    return sam.eval()


def save_tiny_sam(path: Path, seed: int = 3, *, score: float = 1.0) -> Path:
    """Write such a checkpoint as the published ones are written."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tiny_sam(seed, score=score).state_dict(), path)
    return path
