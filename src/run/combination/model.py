"""Parts of a model that do not fit each other, or the data's size."""

from collections.abc import Iterator
from typing import Any

from src.run.combination.part import class_of

_PLAIN = ("vit_", "deit", "beit", "eva", "flexivit")  # timm's families of transformers without a pyramid
_STEPWISE = (
    "unet.Unet",
    "plain.Plain",
    "segnet.Segnet",
    "segnet_basic.SegnetBasic",
    "deeplabv3plus.Deeplabv3plus",
    "fuse.Fuse",
)  # decoders: pyramids only
_SCORELESS = (
    "unet.Unet",
    "plain.Plain",
    "segnet_basic.SegnetBasic",
    "deeplabv3plus.Deeplabv3plus",
    "fpn.Fpn",
    "dpt.Dpt",
)  # decoders whose map is no scores yet
_POOLLESS = ("src.model.backbone.torchvision.Torchvision", "src.model.backbone.timm.Timm")


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What parts of a model ask of each other and cannot get: each problem in one sentence that says what would fit."""
    yield from _model(config)
    yield from _patches(config)
    yield from _cells(config)
    yield from _regions(config)


def _model(config: dict[str, Any]) -> Iterator[str]:
    model = config["model"]
    backbone, decoder, head = (model.get(part) or {} for part in ("backbone", "decoder", "head"))
    name, kind = str(backbone.get("name", "")), class_of(decoder).removeprefix("src.model.decoder.")
    plain = class_of(backbone) == "src.model.backbone.timm.Timm" and name.startswith(_PLAIN)
    if plain and (kind in _STEPWISE or (kind == "fcn.Fcn" and decoder.get("skips"))):
        yield (
            f"model.backbone.name={name} gives features of one size only, and this decoder needs a pyramid: take "
            "model/decoder=fcn32s, which reads one feature, or a pyramid such as model/backbone=convnext_tiny"
        )
    if class_of(head) == "torch.nn.Identity" and kind in _SCORELESS:
        yield "model/head=identity passes features on, and this decoder gives no scores: take model/head=conv"
    if class_of(model.get("upsample")) == "src.model.upsample.max_unpool.MaxUnpool" and class_of(backbone) in _POOLLESS:
        yield (
            f"model/upsample=max_unpool undoes the max-poolings of a backbone, and {name} has none that can be undone: "
            "take model/backbone=vgg16, alexnet or plain, or an upsampling such as model/upsample=bilinear"
        )
    rfcn = class_of(model.get("neck")) == "src.model.neck.rfcn.Rfcn"
    if rfcn and class_of(model).startswith("src.") and class_of(model) != "src.model.fcis.FCIS":
        yield "model/neck=rfcn has a map of its own for regions, which model=fcis alone reads: take model/neck=dc5"


def _patches(config: dict[str, Any]) -> Iterator[str]:
    patch, seen = config["transform"].get("patch"), config["model"].get("patch")
    if patch and seen and patch != seen:
        yield f"transform.patch={patch}, but model.patch={seen}: the network sees what is cut; say the same of both"
    if patch and not seen:
        yield "transform=patch labels one pixel in each patch, for model=sliding_window: take transform=default"


def _cells(config: dict[str, Any]) -> Iterator[str]:
    """Batch norm cannot learn from a single value."""
    model, data = config["model"], config["data"]
    backbone = model.get("backbone") or {}
    size = config["transform"].get("crop") or data["size"] or data.get("resolution")
    devices = config["trainer"]["devices"]
    share = data["batch_size"] // devices if isinstance(devices, int) and devices > 0 else data["batch_size"]
    deepest = _batch_normed(backbone)
    if size and deepest and share == 1 and max(size) <= deepest:
        yield (
            f"a crop of {size} is a single cell where the backbone has shrunk it by {deepest}, and batch norm cannot "
            "learn from one value: say data.batch_size=2 or more, a larger transform.crop, or model=unet_groupnorm"
        )


def _batch_normed(backbone: dict[str, Any]) -> int | None:
    """The reduction at which the deepest batch normalisation of torchvision's and VGG's networks stands."""
    stride = backbone.get("output_stride", 32)
    match class_of(backbone):
        case "src.model.backbone.torchvision.Torchvision" if not backbone.get("norm"):
            return stride
        case "src.model.backbone.vgg.Vgg" if not backbone.get("norm") and backbone.get("name", "").endswith("_bn"):
            return min(stride, 16)
    return None


def _regions(config: dict[str, Any]) -> Iterator[str]:
    """What a detector learns from boxes by their IoU with an object."""
    for part in ("rpn", "box"):
        said = config["model"].get(part) or {}
        background, foreground = said.get("background", 0), said.get("foreground", 1)
        if foreground < background:
            yield (
                f"model.{part}.foreground={foreground} is below model.{part}.background={background}: a box between "
                f"them would be both; say model.{part}.background={foreground} or less"
            )
        if said.get("ratios") == []:
            yield f"model.{part}.ratios=[]: an anchor needs a height over its width; say [0.5,1.0,2.0]"
