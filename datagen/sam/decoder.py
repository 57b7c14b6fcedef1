"""Segment Anything's mask decoder for many point prompts on one picture, without doing the same work for each.

The package's decoder repeats the picture's embedding for every prompt before its first layer, and draws all masks of
all prompts. Here what the first layer takes from the picture is projected once, and masks are drawn only for prompts
that are going to be kept. Up to the rounding of floats the results are the package's (Kirillov et al.,
arXiv:2304.02643).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

# B prompts, T tokens a prompt, P places of the picture's embedding (h * w), C channels, M masks a prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What prompts gave, before any mask is drawn."""

    predicted_iou_BM: "Tensor"
    tokens_BTC: "Tensor"
    places_BPC: "Tensor"


class PointDecoder:
    """Decodes point prompts on one picture; holds what all prompts share."""

    def __init__(self, sam: Any, features_1Chw: "Tensor") -> None:
        self._sam = sam
        self._decoder = sam.mask_decoder
        self._grid = features_1Chw.shape[-2:]
        embedded = features_1Chw + sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        self._places_1PC = _places(embedded)
        self._positions_1PC = _places(sam.prompt_encoder.get_dense_pe())
        first = self._decoder.transformer.layers[0]
        positioned = self._places_1PC + self._positions_1PC
        to_image, to_token = first.cross_attn_token_to_image, first.cross_attn_image_to_token
        self._first_keys = _heads(to_image, to_image.k_proj(positioned))
        self._first_values = _heads(to_image, to_image.v_proj(self._places_1PC))
        self._first_queries = _heads(to_token, to_token.q_proj(positioned))

    def score(self, points_B2: "Tensor") -> Scored:
        """Decode points (x, y), pixels of the network's input, as far as their masks' predicted IoU."""
        labels = torch.ones((len(points_B2), 1), dtype=torch.int, device=points_B2.device)
        sparse, _ = self._sam.prompt_encoder(points=(points_B2[:, None], labels), boxes=None, masks=None)
        own = torch.cat([self._decoder.iou_token.weight, self._decoder.mask_tokens.weight])
        prompt_BTC = torch.cat([own[None].expand(len(points_B2), -1, -1), sparse], dim=1)
        tokens, places = self._transform(prompt_BTC)
        scores = self._decoder.iou_prediction_head(tokens[:, 0])
        # The first mask token is for prompts that leave no doubt; one point leaves some, as in the package.
        return Scored(predicted_iou_BM=scores[:, 1:], tokens_BTC=tokens, places_BPC=places)

    def draw(self, scored: Scored, prompts: "Tensor", masks: "Tensor") -> "Tensor":
        """Return the logits (K, 4 h, 4 w) of mask `masks[k]` of prompt `prompts[k]`, (K,) both."""
        chosen, place = torch.unique(prompts, return_inverse=True)
        upscaled = self._upscale(scored.places_BPC[chosen])
        weights = torch.stack(
            [
                self._decoder.output_hypernetworks_mlps[mask + 1](scored.tokens_BTC[prompt, mask + 2])
                for prompt, mask in zip(prompts.tolist(), masks.tolist(), strict=True)
            ]
        )
        height, width = self._grid
        drawn = torch.empty((len(prompts), 4 * height, 4 * width), dtype=upscaled.dtype, device=upscaled.device)
        for index, prompt in enumerate(place.tolist()):
            # Rows and columns of the grid, then halves and quarters of its cells.
            cells = (upscaled[prompt] @ weights[index]).reshape(height, width, 2, 2, 2, 2)
            drawn[index] = cells.permute(0, 2, 4, 1, 3, 5).reshape(4 * height, 4 * width)
        return drawn

    def _upscale(self, places_UPC: "Tensor") -> "Tensor":
        """Return the embedding at four times the resolution, (U, P, 2 * 2, 2 * 2, channels).

        A transposed convolution whose stride is its size is a matrix product, which processors are better at.
        """
        first, norm, activation, second, last = self._decoder.output_upscaling
        halves = activation(
            functional.layer_norm(_doubled(first, places_UPC), norm.weight.shape, norm.weight, norm.bias, norm.eps)
        )
        upscaled: Tensor = last(_doubled(second, halves))
        return upscaled

    def _transform(self, prompt_BTC: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Run the two-way transformer; return tokens (B, T, C) and places (B, P, C)."""
        transformer = self._decoder.transformer
        tokens, places, positions = prompt_BTC, self._places_1PC, self._positions_1PC
        for number, layer in enumerate(transformer.layers):
            if number == 0:
                tokens = layer.norm1(_attention(layer.self_attn, tokens, tokens, tokens))
                keys, values = self._first_keys, self._first_values
            else:
                asking = tokens + prompt_BTC
                tokens = layer.norm1(tokens + _attention(layer.self_attn, asking, asking, tokens))
                asked = layer.cross_attn_token_to_image
                keys = _heads(asked, asked.k_proj(places + positions))
                values = _heads(asked, asked.v_proj(places))
            attention = layer.cross_attn_token_to_image
            queries = _heads(attention, attention.q_proj(tokens + prompt_BTC))
            tokens = layer.norm2(tokens + _attend(attention, queries, keys, values))
            tokens = layer.norm3(tokens + layer.mlp(tokens))
            attention = layer.cross_attn_image_to_token
            asking = self._first_queries if number == 0 else _heads(attention, attention.q_proj(places + positions))
            keys = _heads(attention, attention.k_proj(tokens + prompt_BTC))
            values = _heads(attention, attention.v_proj(tokens))
            places = layer.norm4(places + _attend(attention, asking, keys, values))
        final = transformer.final_attn_token_to_image
        found = _attention(final, tokens + prompt_BTC, places + positions, places)
        return transformer.norm_final_attn(tokens + found), places


def _doubled(layer: Any, values: "Tensor") -> "Tensor":
    """Apply a transposed convolution of 2 x 2 and stride 2 to (..., C); return (..., 4, its channels)."""
    weights = layer.weight.permute(0, 2, 3, 1)
    made: Tensor = (values @ weights.flatten(1)).reshape(*values.shape[:-1], 4, weights.shape[-1]) + layer.bias
    return made


def _places(maps_1Chw: "Tensor") -> "Tensor":
    return maps_1Chw.flatten(2).transpose(1, 2)


def _heads(attention: Any, values: "Tensor") -> "Tensor":
    return values.reshape(*values.shape[:-1], attention.num_heads, -1).transpose(1, 2)


def _attention(attention: Any, queries: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
    projected = (
        _heads(attention, layer(given))
        for layer, given in zip(
            (attention.q_proj, attention.k_proj, attention.v_proj), (queries, keys, values), strict=True
        )
    )
    return _attend(attention, *projected)


def _attend(attention: Any, queries: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
    """Attend with projected heads; those of a picture stand for all prompts."""
    size = max(len(queries), len(keys))
    queries, keys, values = (given.expand(size, -1, -1, -1) for given in (queries, keys, values))
    found = functional.scaled_dot_product_attention(queries, keys, values)
    projected: Tensor = attention.out_proj(found.transpose(1, 2).flatten(2))
    return projected
