"""The overrides that make each model of conf/model narrow enough for a test; those that are not here are."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[1] / "conf"


def dense(group: str) -> list[str]:
    """The models that give a map, or the losses that price one: all but what detectors have of their own."""
    return sorted(file.stem for file in (CONF / group).glob("*.yaml") if "rcnn" not in file.stem)


MODELS = {
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
}
