"""SEEC's side information: a lossy hyperprior codec whose pixels are never reconstructed, only features of them.

    x -> analysis -> y -> hyper analysis -> z -> quantised -> two hyper syntheses -> means, scales
    y, means -> quantised -> synthesis -> features

Every 64x64 patch of a picture is coded for itself; an entropy model of the pixels is told the features. Source: SEEC,
arXiv:2509.07704.

Shapes: B patches, P = 64 rows and columns; y (B, C, 4, 4), z (B, C, 1, 1); features (B, F, P, P).
"""

from torch import Tensor, nn

from pipeline.codecs.blocks import conv
from pipeline.codecs.entropy import SCALE_MIN
from pipeline.codecs.priors import FactorisedPrior, lower_bound, normal_likelihood, quantise
from pipeline.codecs.seec.side_layers import (
    AnalysisBlock,
    SynthesisBlock,
    WindowGate,
    hyper_analysis,
    hyper_synthesis,
    saturate,
    subpixel,
)

PATCH = 64
"""Rows and columns of a patch; the attention windows are made for it."""
_PIXEL_MEAN = 0.5


class SideCodec(nn.Module):
    """The networks in floating point: for training, and what the encoder needs of them.

    At the published size, 192 channels and 256 features, it has 21.77 M parameters.
    """

    def __init__(self, num_channels: int, num_features: int, num_heads: int = 8) -> None:
        """`num_channels` must be even and a multiple of `num_heads`."""
        super().__init__()
        self.num_channels, self.num_features = num_channels, num_features

        def gate(side: int, window: int) -> WindowGate:
            return WindowGate(num_channels, num_heads=num_heads, window=window, side=side)

        self.encoder = nn.Sequential(
            AnalysisBlock(3, num_channels),
            AnalysisBlock(num_channels, num_channels),
            gate(PATCH // 4, 8),
            AnalysisBlock(num_channels, num_channels),
            conv(num_channels, num_channels, kernel=3, stride=2),
            gate(PATCH // 16, 4),
        )
        self.hyper_encoder = hyper_analysis(num_channels)
        self.hyper_means, self.hyper_scales = hyper_synthesis(num_channels), hyper_synthesis(num_channels)
        self.z_prior = FactorisedPrior(num_channels)
        self.decoder = nn.Sequential(
            gate(PATCH // 16, 4),
            SynthesisBlock(num_channels),
            SynthesisBlock(num_channels),
            gate(PATCH // 4, 8),
            SynthesisBlock(num_channels),
            subpixel(num_channels, num_features),
        )

    def forward(self, patches_B3PP: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return features and the likelihoods of "y" and "z", with noise in training, of RGB patches in [0, 1].

        Features are within +-LIMIT (integer_patches.py), as their integers are.
        """
        y = self.analysis(patches_B3PP)
        likelihoods: dict[str, Tensor] = {}
        z_hat, likelihoods["z"] = self.z_prior(self.hyper_encoder(y))
        means = self.hyper_means(z_hat)
        symbols = quantise(y - means, training=self.training)
        likelihoods["y"] = normal_likelihood(symbols, lower_bound(self.hyper_scales(z_hat), SCALE_MIN))
        return saturate(self.decoder(symbols + means)), likelihoods

    def analysis(self, patches_B3PP: Tensor) -> Tensor:
        """Return y, within +-LIMIT. Raises: ValueError: the patches are no 64x64 RGB."""
        if patches_B3PP.shape[1:] != (3, PATCH, PATCH):
            raise ValueError(f"patches must be (B, 3, {PATCH}, {PATCH}), got {tuple(patches_B3PP.shape)}")
        y: Tensor = self.encoder(patches_B3PP - _PIXEL_MEAN)
        return saturate(y)

    def aux_loss(self) -> Tensor:
        """Return the loss that moves the quantiles of z's prior, and nothing else."""
        return self.z_prior.aux_loss()

    def aux_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that only `aux_loss` trains."""
        return [self.z_prior.quantiles]
