"""The overrides that make each model of conf/model narrow enough for a test; those that are not here are."""

from pathlib import Path

from src.run.combination.price import options

CONF = Path(__file__).resolve().parents[1] / "conf"


DETECTORS = ("rcnn", "fcis", "mnc", "sds")  # what their names hold


def dense(group: str) -> list[str]:
    """The models that give a map, all but detectors, or the losses that price one of classes."""
    if group == "loss":
        return list(options("semantic"))
    names = (file.stem for file in (CONF / group).glob("*.yaml"))
    return sorted(name for name in names if not any(word in name for word in DETECTORS))


MODELS = {
    "eccv16": ["model.width=4"],
    "hypercolumn": ["model/backbone=resnet18"],
    "deeplabv3plus": ["model.backbone.name=resnet18", "model.decoder.width=8"],
    "pspnet": ["model.backbone.name=resnet18", "model.decoder.width=8"],
    "fpn": ["model/backbone=resnet18", "model.decoder.width=8"],
    "fc_densenet103": ["model.first=4", "model.growth=2"],
    "fc_densenet67": ["model.first=4", "model.growth=2"],
    "fc_densenet56": ["model.first=4", "model.growth=2"],
    "smp": ["model.encoder=resnet18"],
    "fcn8s": ["model.width=4", "model.fc_channels=8"],
    "fcn16s": ["model.width=4", "model.fc_channels=8"],
    "fcn32s": ["model.width=4", "model.fc_channels=8"],
    "fcn8s_at_once": ["model.width=4", "model.fc_channels=8"],
    "fcn_alexnet": ["model.width=6", "model.fc_channels=8"],
    "deconvnet": ["model.width=2", "model.fc_channels=4", "model.fc_size=2"],
    "deconvnet_small": ["model.width=2", "model.fc_channels=4", "model.fc_size=2"],
    "sliding_window": ["model.widths=[4,6,6]", "model.fc_channels=8"],
    "fcn_full": ["model.width=4", "model.depth=3"],
    "unet_paper": ["model.width=4"],
    "segnet": ["model.backbone.width=4"],
    "segnet_basic": ["model.backbone.width=4", "model.decoder.width=4"],
    "encoder_decoder": ["model.backbone.widths=[4,6,8,8]"],
    "fcn": ["model/backbone=resnet18"],
    "zoomout": ["model.superpixels=12", "model.width=8"],
    "dpt": ["model.backbone.name=vit_tiny_patch16_224", "model.decoder.widths=[4,4,8,8]", "model.decoder.width=8"],
    "dpt_large": [
        "model.backbone.name=vit_tiny_patch16_224",
        "model.backbone.options.out_indices=[2,5,8,11]",
        "model.decoder.widths=[4,4,8,8]",
        "model.decoder.width=8",
    ],
    "eigen_fergus": ["model.backbone.width=4", "model.width=8", "model.fc_channels=8"],
    "eigen_fergus_alexnet": ["model.backbone.widths=[8,12,16,16,12]", "model.width=8", "model.fc_channels=8"],
    "eigen_fergus_small": ["model.width=8", "model.fc_channels=16"],
}
