"""Settings that are right each by itself and impossible together: refused with what would fit."""

from collections.abc import Iterator
from typing import Any

from src.run.nearest import did_you_mean
from src.run.signature import signature

_ONE_CLASS = (
    "cross_entropy.CrossEntropy",
    "weighted_cross_entropy.WeightedCrossEntropy",
    "border_cross_entropy.BorderCrossEntropy",
    "ohem_cross_entropy.OhemCrossEntropy",
)
_CAMVID = ("src.data.camvid.CamVid", "src.data.folder.Folder")  # may hold its 11 classes
_OVERLAPPING = "binary_cross_entropy, focal, dice, soft_dice, tversky or lovasz"
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
)  # decoders whose map is no scores yet
_OBJECTS = ("src.task.instance.Instance", "src.task.keypoint.Keypoint")  # tasks that find objects
_DETECTORS = ("mask_rcnn.MaskRCNN", "faster_rcnn.FasterRCNN", "keypoint_rcnn.KeypointRCNN")
_POOLLESS = ("src.model.backbone.torchvision.Torchvision", "src.model.backbone.timm.Timm")
_NO_CPU = ("16", 16, "16-mixed", "16-true", "transformer-engine", "transformer-engine-float16")
_AP = (
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar",
    "ar_small",
    "ar_medium",
    "ar_large",
    "ar1",
    "ar10",
)
_BOX_AP = tuple(f"box/{name}" for name in _AP)
_MATCHED = ("matched/iou", "matched/dice", "matched/precision", "matched/recall", "map/miou", "map/dice")
_OKS = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large", "pck")
# What a task is scored by; a test holds this against the suite itself.
_SCORES = {
    "src.task.instance.Instance": ("score", *_AP, *_BOX_AP, *_MATCHED),
    "src.task.keypoint.Keypoint": ("score", *_OKS, *_BOX_AP, *(f"mask/{name}" for name in _AP), *_MATCHED),
    "src.task.semantic.Semantic": (
        "score", "loss", "miou", "dice", "accuracy", "mean_accuracy", "fw_iou", "miou_things", "miou_stuff",
        "miou_per_image",
    ),
}  # fmt: skip
_TRAIN = ("loss", "lr", "images_per_second", "memory_mb")


def check(config: dict[str, Any]) -> None:
    """Raise ValueError for the first combination that cannot work.

    Args:
        config: of a training, its keys and values found good one by one.
    """
    for problem in (_starts, _length, _machine, _kinds, _masks, _loss, _model, _patches, _cells, _monitors):
        for said in problem(config):
            raise ValueError(said)


def _starts(config: dict[str, Any]) -> Iterator[str]:
    if config["resume"] not in (None, "auto") and config["init"]:
        yield "resume and init together: resume goes on with a run, init begins one from weights; say one of them"


def _length(config: dict[str, Any]) -> Iterator[str]:
    trainer = config["trainer"]
    epochs, steps = trainer.get("max_epochs"), trainer.get("max_steps", -1)
    if epochs in (-1, None) and steps == -1:
        if config["scheduler"]:
            yield (
                "trainer.max_epochs=-1 has no end, and a schedule needs one: say trainer.max_epochs or "
                "trainer.max_steps, beside trainer.max_time if you like"
            )
        return
    every = trainer.get("check_val_every_n_epoch") or 1
    if steps == -1 and every > epochs:
        yield (
            f"trainer.check_val_every_n_epoch={every} with trainer.max_epochs={epochs}: the run would end without an "
            f"evaluation, and without a best checkpoint; say {epochs} or less"
        )


def _machine(config: dict[str, Any]) -> Iterator[str]:
    trainer, data = config["trainer"], config["data"]
    if trainer["accelerator"] == "cpu" and trainer["precision"] in _NO_CPU:
        yield f"trainer.precision={trainer['precision']} needs a GPU: on a cpu take 32-true or bf16-mixed"
    devices = trainer["devices"]
    count = len(devices) if isinstance(devices, list) else devices
    if isinstance(count, int) and count > 1 and data["batch_size"] % count:
        yield (
            f"data.batch_size={data['batch_size']} is the total, and does not divide over trainer.devices={devices}: "
            f"take {max(1, data['batch_size'] // count) * count}"
        )


def _kinds(config: dict[str, Any]) -> Iterator[str]:
    """Maps and objects are found by different models, with different losses."""
    task, model, loss = (_of(config[part]) for part in ("task", "model", "loss"))
    if not task.startswith("src.") or not model.startswith("src."):
        return
    objects, word = task in _OBJECTS, model.removeprefix("src.model.").partition(".")[0]
    finds = model.removeprefix("src.model.") in _DETECTORS
    if finds and not objects:
        kind = "keypoint" if word == "keypoint_rcnn" else "instance"
        yield f"model={word} finds objects, and this task wants a map: take task={kind}, or a model such as unet"
    if objects and not finds:
        fit = "keypoint_rcnn" if task == _OBJECTS[1] else "mask_rcnn or faster_rcnn"
        yield f"this model gives a map, and the task wants objects: take model={fit}, or task=semantic"
    if finds and objects and (task == _OBJECTS[1]) != (word == "keypoint_rcnn"):
        yield (
            "model=keypoint_rcnn finds keypoints, for task=keypoint; task=instance takes model=mask_rcnn or faster_rcnn"
            if word == "keypoint_rcnn"
            else f"task=keypoint needs a model that finds them, and model={word} does not: take model=keypoint_rcnn"
        )
    name = loss.removeprefix("src.loss.").partition(".")[0]
    if loss.startswith("src.") and objects != (name == "mask_rcnn"):
        yield (
            f"loss={name} prices a map, and a detector has terms of its own: take loss=mask_rcnn"
            if objects
            else f"loss={name} is of a detector: take a loss of maps, such as cross_entropy or dice"
        )
    if objects and _of(config["transform"]).rpartition(".")[2] in ("Patch", "Objects"):
        yield "this transform cuts a map to pieces, and the task learns objects: take transform=instance"
    if objects and config["data"].get("weak"):
        yield "data.weak makes masks of clicks, and this task learns objects: leave it out, or take task=semantic"


def _masks(config: dict[str, Any]) -> Iterator[str]:
    task, data = config["task"], config["data"]
    overlapping = task.get("multilabel", False)
    if "multilabel" in data and data["multilabel"] != overlapping:
        yield f"task.multilabel={overlapping}, but data.multilabel={data['multilabel']}: say the same of both".lower()
    if overlapping and "multilabel" not in data and _of(data.get("dataset")).startswith("src."):
        yield "task.multilabel=True, but the dataset has one class per pixel: take data=folder data.multilabel=true"


def _loss(config: dict[str, Any]) -> Iterator[str]:
    overlapping = config["task"].get("multilabel", False)
    for path, part in _losses(config["loss"]):
        name = _of(part).removeprefix("src.loss.")
        if overlapping and name in _ONE_CLASS:
            word = name.partition(".")[0]
            yield f"{path}={word} needs one class per pixel, but task.multilabel=true: take {_OVERLAPPING}"
        if overlapping and part.get("include_background") is False:
            yield f"{path}.include_background=false leaves class 0 out, but overlapping masks have no background"
        if name == "focal.Focal" and part.get("alpha") is not None and not overlapping:
            classes = config["data"].get("classes")
            if (len(classes) if isinstance(classes, list) else classes) != 1:
                yield f"{path}.alpha weighs a yes against a no, but each pixel has one class: say {path}.alpha=null"
        dataset = _of(config["data"].get("dataset"))
        if part.get("weights") == "segnet" and dataset.startswith("src.") and dataset not in _CAMVID:
            yield f"{path}.weights=segnet are CamVid's: take data=camvid, or {path}.weights=median_frequency"


def _losses(loss: dict[str, Any], path: str = "loss") -> Iterator[tuple[str, dict[str, Any]]]:
    inner = loss.get("losses")
    if not isinstance(inner, dict):
        yield path, loss
        return
    weights = loss.get("weights") or {}
    for name in [*weights, *inner]:
        if name not in inner or name not in weights:
            others = inner if name not in inner else weights
            known, lacks = ("losses", "weights") if name in weights else ("weights", "losses")
            raise ValueError(
                f"{path}.{lacks}.{name}: has nothing of that name in {path}.{known}{did_you_mean(name, others)}"
            )
    for name, part in inner.items():
        yield from _losses(part, f"{path}.losses.{name}")


def _model(config: dict[str, Any]) -> Iterator[str]:
    model = config["model"]
    backbone, decoder, head = (model.get(part) or {} for part in ("backbone", "decoder", "head"))
    name, kind = str(backbone.get("name", "")), _of(decoder).removeprefix("src.model.decoder.")
    plain = _of(backbone) == "src.model.backbone.timm.Timm" and name.startswith(_PLAIN)
    if plain and (kind in _STEPWISE or (kind == "fcn.Fcn" and decoder.get("skips"))):
        yield (
            f"model.backbone.name={name} gives features of one size only, and this decoder needs a pyramid: take "
            "model/decoder=fcn32s, which reads one feature, or a pyramid such as model/backbone=convnext_tiny"
        )
    if _of(head) == "torch.nn.Identity" and kind in _SCORELESS:
        yield "model/head=identity passes features on, and this decoder gives no scores: take model/head=conv"
    if _of(model.get("upsample")) == "src.model.upsample.max_unpool.MaxUnpool" and _of(backbone) in _POOLLESS:
        yield (
            f"model/upsample=max_unpool undoes the max-poolings of a backbone, and {name} has none that can be undone: "
            "take model/backbone=vgg16, alexnet or plain, or an upsampling such as model/upsample=bilinear"
        )


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
    match _of(backbone):
        case "src.model.backbone.torchvision.Torchvision" if not backbone.get("norm"):
            return stride
        case "src.model.backbone.vgg.Vgg" if not backbone.get("norm") and backbone.get("name", "").endswith("_bn"):
            return min(stride, 16)
    return None


def _monitors(config: dict[str, Any]) -> Iterator[str]:
    kept = False
    for name, part in (config["callback"] or {}).items():
        monitor = part.get("monitor")
        if monitor is None:
            continue
        kept = kept or "save_top_k" in signature(_of(part)).names
        problem = unlogged(monitor, config)
        if problem:
            yield f"callback.{name}.monitor={monitor}: {problem}"
    if not kept:
        yield "callback: nothing keeps the best checkpoint, which is scored at the end; take callback=[default,...]"


def unlogged(monitor: str, config: dict[str, Any]) -> str | None:
    """Why a figure will never be logged, with the nearest that will; None if it may be. Classes are not known here."""
    task = config["task"]
    names = _SCORES.get(_of(task))
    if names is None:  # a task of the user's own
        return None
    names = [
        *(name for name in names if name != "miou_per_image" or task.get("per_image")),
        *(f"trimap_{width}" for width in task.get("trimap") or ()),
        *(task.get("metrics") or {}),
    ]
    loss = config["loss"]
    terms = [*_TRAIN, *(loss.get("losses") or (loss.get("weights") if _of(task) in _OBJECTS else None) or {})]
    known = [f"val/{name}" for name in names] + [f"train/{name}" for name in terms]
    classes = "ap" if _of(task) in _OBJECTS else "iou"
    if (
        monitor in known
        or monitor.startswith(f"val/{classes}/")
        or monitor.startswith(tuple(f"{name}/" for name in known))
    ):
        return None
    return f"the task never logs it{did_you_mean(monitor, known)} There are: {', '.join(known)}, val/{classes}/CLASS"


def _of(part: Any) -> str:
    return str((part or {}).get("_target_", ""))
