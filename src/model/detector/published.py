"""torchvision's weights of whole detectors, put into ours."""

import logging
from collections.abc import Mapping

from torch import Tensor, nn

from src.model.backbone.weights import fetch, read

# torchvision's name of a part: ours
PARTS = {
    "backbone.fpn.": "neck.fpn.",
    "roi_heads.box_": "box.box_",
    "roi_heads.mask_": "mask.",
    "roi_heads.keypoint_": "keypoint.",
}
STEM = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")  # a ResNet's parts in their order
# What is counted in classes or keypoints.
COUNTED = ("box.box_predictor.", "mask.predictor.mask_fcn_logits.", "keypoint.predictor.kps_score_lowres.")
PUBLISHED = 91  # classes of torchvision's weights: background, COCO's 80, and those that COCO left out
LEFT_OUT = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)

log = logging.getLogger(__name__)


def load(model: nn.Module, weights: str | None, url: str) -> None:
    """Fill a detector of ResNet-50 and FPN with torchvision's tensors.

    Every tensor has to fit but those of the last layers, which a dataset with other classes learns anew. 80 classes
    are taken for COCO's, in its order.

    Args:
        model: filled in place.
        weights: null for none, default for what is behind `url`, or the path of a file.
        url: of torchvision's file.

    Raises:
        ValueError: the weights cannot be had or don't fit.
    """
    if weights is None:
        return
    state = fetch(url) if weights == "default" else read(weights)
    renamed = {_renamed(key, _stem(model)): value for key, value in state.items()}
    own = model.state_dict()
    fitted = {key: _counted(value, own[key]) if key in own else value for key, value in renamed.items()}
    anew = [key for key in own if key.startswith(COUNTED) and key in fitted and fitted[key].shape != own[key].shape]
    if anew:
        log.info("weights=%s: %d tensors count other classes and are learned anew: %s", weights, len(anew), anew)
    try:
        model.load_state_dict(fitted | {key: own[key] for key in anew})
    except RuntimeError as error:
        reason = str(error).partition("\n")[2].strip().partition("\n")[0]
        raise ValueError(
            f"model.weights={weights} does not fit this model ({reason[:200]}): torchvision's are those of "
            "model=mask_rcnn_resnet50, faster_rcnn_resnet50 and keypoint_rcnn_resnet50 on images of 3 channels; for a "
            "checkpoint of src.train say init=PATH"
        ) from error


def _stem(model: nn.Module) -> Mapping[str, str]:
    """torchvision's name of each part of a ResNet: ours."""
    stages = getattr(model.backbone, "stages", ())
    places = [f"stages.{i}.{j}" for i, stage in enumerate(stages) for j in range(len(stage))]
    return dict(zip(STEM, places, strict=False))


def _renamed(key: str, stem: Mapping[str, str]) -> str:
    if key.startswith("backbone.body."):
        part, _, rest = key.removeprefix("backbone.body.").partition(".")
        return f"backbone.{stem.get(part, part)}.{rest}"
    return next((key.replace(theirs, ours, 1) for theirs, ours in PARTS.items() if key.startswith(theirs)), key)


def _counted(value: Tensor, like: Tensor) -> Tensor:
    """Of 91 classes those that COCO kept, where they are what `like` has; else the value as it is."""
    kept = [index for index in range(PUBLISHED) if index not in LEFT_OUT]
    per_class = len(value) // PUBLISHED  # 4 numbers of a box, or 1
    if value.ndim == 0 or len(value) % PUBLISHED or per_class == 0 or len(like) != per_class * len(kept):
        return value
    return value.unflatten(0, (PUBLISHED, per_class))[kept].flatten(0, 1)
