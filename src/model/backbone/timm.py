"""timm's networks as backbones (Wightman, 2019)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm
from huggingface_hub import constants
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.backbone.weights import TIMEOUT, fetching, fit, read
from src.model.normalize import Normalize


class Timm(nn.Module):
    """A network of timm as a pyramid of features, with channels and reductions as timm publishes them.

    A convolutional network gives a pyramid (2, 4, 8, 16, 32 or 4, 8, 16, 32), a plain ViT one reduction (16, 16, 16).
    The image is extended at its bottom and right to what the network's patches divide, and the features cut again.

    Args:
        name: timm's, with or without a tag of weights.
        weights: null for random ones, default for timm's, or the path of a file with a state_dict of that network.
        options: further arguments of `timm.create_model`, such as `out_indices`, or `output_stride` where the network
            can be dilated; of the features that then have one size, the deepest is kept.

    Raises:
        ValueError: the name is unknown, the network gives no features, or the weights cannot be had or do not fit.
    """

    def __init__(
        self,
        name: str = "efficientnet_b0",
        weights: str | None = None,
        options: dict[str, Any] | None = None,
        *,
        in_channels: int,
    ) -> None:
        super().__init__()
        arguments = {"in_chans": in_channels, "features_only": True} | (options or {})
        self.network = _network(name, pretrained=weights == "default", **arguments)
        if weights not in (None, "default"):
            fit(self.network, read(weights), f"weights={weights}", name=_flat)
        channels, reductions = self.network.feature_info.channels(), self.network.feature_info.reduction()
        self.kept = range(len(reductions))
        if "output_stride" in arguments:
            self.kept = [i for i in self.kept if reductions[i] not in reductions[i + 1 :]]
        self.channels, self.reductions = [channels[i] for i in self.kept], [reductions[i] for i in self.kept]
        statistics = self.network.pretrained_cfg
        self.normalize = Normalize(in_channels, statistics["mean"], statistics["std"])

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        h, w = image.shape[-2:]
        step = max(self.reductions)
        padded = F.pad(self.normalize(image), (0, -w % step, 0, -h % step), mode="replicate")
        every = self.network(padded)
        features = [every[i] for i in self.kept]
        return [f[..., : -(-h // r), : -(-w // r)] for f, r in zip(features, self.reductions, strict=True)]


def _network(name: str, pretrained: bool, **arguments: Any) -> nn.Module:
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=1) or ["efficientnet_b0"]
        raise ValueError(f"model.backbone.name={name} is no network of timm; the nearest is {near[0]}")
    try:
        if not pretrained:
            return timm.create_model(name, **arguments)
        with fetching(f"timm's file for {name}"), _impatient_hub():
            return timm.create_model(name, pretrained=True, **arguments)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(f"model.backbone.name={name}: timm cannot build it as a backbone: {error}") from error


@contextmanager
def _impatient_hub() -> Iterator[None]:
    """The hub's cache alone where its host does not answer: its own retries would take most of a minute."""
    before = constants.HF_HUB_OFFLINE
    if not before and not getproxies():
        try:
            socket.create_connection((urlsplit(constants.ENDPOINT).hostname, 443), TIMEOUT).close()
        except OSError:
            constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _flat(key: str) -> str:
    """One spelling for a key of timm's network and of its feature extractor, which flattens some names."""
    return key.removeprefix("model.").replace(".", "_")
