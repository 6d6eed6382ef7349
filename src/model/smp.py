"""Networks of segmentation-models-pytorch, unchanged (Iakubovskii, 2019)."""

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.normalize import Normalize

STEP = 32  # what the networks' poolings divide
LEAST = {"pan": 128}  # cells along a side; PAN pools its ÷16 feature three times more
SETTLED = ("self", "encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params", "kwargs")


class Smp(nn.Module):
    """One network of that library, its own parameters under its own names, for an image of any size.

    The image is normalised with ImageNet's statistics and extended at its bottom and right by zeros, the mean colour,
    to what the network divides; the answer is cut again. `task.freeze=[network.encoder]` trains the rest alone.

    Args:
        name: of an architecture: Unet, UnetPlusPlus, MAnet, Linknet, FPN, PSPNet, DeepLabV3Plus, UPerNet ...
        encoder: of an encoder, as the library calls it; `tu-` before a name is timm's.
        weights: null for random ones, default for the encoder's of ImageNet, or another of the library's words for
            them; another network's file goes in by `init=`.
        options: further arguments of the architecture; with a `tu-` encoder also of that. DPT takes images of one size
            unless they say `dynamic_img_size: true`.

    Raises:
        ValueError: the library is not installed, a name or an option is unknown, or the weights cannot be had.
    """

    def __init__(
        self,
        name: str = "Unet",
        encoder: str = "resnet34",
        weights: str | None = None,
        options: dict[str, Any] | None = None,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        library = _library()
        _check(library, name, encoder, options or {})
        self.normalize = Normalize(in_channels)
        self.network = _network(
            library, name, encoder, weights, in_channels=in_channels, classes=out_channels, **(options or {})
        )
        self.least = LEAST.get(name.lower(), STEP)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        h, w = image.shape[-2:]
        below, right = (max(self.least, side + -side % STEP) - side for side in (h, w))
        return self.network(F.pad(self.normalize(image), (0, right, 0, below)))[..., :h, :w]


def _library() -> ModuleType:
    try:
        import segmentation_models_pytorch
    except ModuleNotFoundError as error:
        raise ValueError(
            "model=smp needs segmentation-models-pytorch, which is not installed: pip install 'dense-labeling[zoo]'"
        ) from error
    return segmentation_models_pytorch


def _check(library: ModuleType, name: str, encoder: str, options: dict[str, Any]) -> None:
    architectures = {kind.__name__.lower(): kind for kind in library.MODEL_ARCHITECTURES_MAPPING.values()}
    if name.lower() not in architectures:
        names = [kind.__name__ for kind in architectures.values()]
        raise ValueError(f"model.name={name} is no architecture of segmentation-models-pytorch{_near(name, names)}")
    if encoder.startswith("tu-"):  # timm's, which says itself what it does not know
        return
    encoders = library.encoders.get_encoder_names()
    if encoder not in encoders:
        raise ValueError(
            f"model.encoder={encoder} is no encoder of segmentation-models-pytorch{_near(encoder, encoders)}"
        )
    known = [key for key in inspect.signature(architectures[name.lower()].__init__).parameters if key not in SETTLED]
    for key in options:
        if key not in known:  # the library would not say a word
            raise ValueError(f"model.options.{key}: {name} has no such argument; it takes {', '.join(known)}")


def _near(word: str, known: Iterable[str]) -> str:
    by_lower = {other.lower(): other for other in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.4)
    return f"; the nearest is {by_lower[near[0]]}" if near else f"; there are: {', '.join(by_lower.values())}"


def _network(library: ModuleType, name: str, encoder: str, weights: str | None, **arguments: Any) -> nn.Module:
    word = "imagenet" if weights == "default" else weights
    if encoder.startswith("tu-"):
        word = weights is not None or None  # timm's weights are part of its encoder's name
    try:
        return library.create_model(name, encoder, word, **arguments)
    except OSError as error:
        raise ValueError(
            f"model.weights={weights}: the weights of {encoder} cannot be fetched; go on with a network connection, or "
            "with model.weights=null, random ones"
        ) from error
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        reason = str(error.args[0] if error.args else error)
        raise ValueError(f"model.name={name} model.encoder={encoder}: the library refuses: {reason}") from error
