"""Image, target, prediction and error of the same few images after each evaluation."""

import json
import math
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning as L
import numpy as np
from jaxtyping import UInt8
from lightning.pytorch.trainer.states import TrainerFn
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from torch.nn import functional as F

from src.data.description import Description
from src.data.sample import Batch, Instances
from src.logger.guarded import Guarded
from src.logger.interface import Look

_HEIGHT, _WIDEST, _GAP, _BAR = 192, 1024, 4, 20  # pixels


@runtime_checkable
class Drawn(Protocol):
    """What can be looked at: a task, or several of them together."""

    description: Description
    fields: tuple[str, ...]  # of a Sample, those that it needs; classes have their colours where one is its mask

    def panels(self, batch: Batch, answer: Any) -> dict[str, Tensor]: ...


class Pictures(L.Callback):
    """Writes pictures/<stage>_<epoch>.png and hands the same to the loggers."""

    def __init__(self, count: int = 6, every_n_epochs: int = 1) -> None:
        """Draw `count` images from all over the split, the same each time, each `every_n_epochs` and after the last."""
        self._count, self._every = count, every_n_epochs
        self._rows: list[dict[str, Tensor]] = []
        self._looks: list[Look] = []  # the same images, for loggers

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: Drawn,
        outputs: object,
        batch: Batch | None,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._keep(trainer, pl_module, outputs, batch, (batch_idx, int(sum(trainer.num_val_batches))))

    def on_test_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: Drawn,
        outputs: object,
        batch: Batch | None,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._keep(trainer, pl_module, outputs, batch, (batch_idx, int(sum(trainer.num_test_batches))))

    def _keep(self, trainer: L.Trainer, task: Drawn, answer: object, batch: Batch | None, of: tuple[int, int]) -> None:
        if batch is None or not trainer.is_global_zero or not self._due(trainer):
            return
        wanted = min(taken(*of, self._count, len(self._rows)), len(batch))
        if wanted > 0:
            panels = task.panels(batch, answer)
            self._rows += [{name: panel[i].cpu() for name, panel in panels.items()} for i in range(wanted)]
            self._looks += looks(task, batch, answer, panels["image"], wanted)

    def _due(self, trainer: L.Trainer) -> bool:
        epoch = trainer.current_epoch + 1
        return not _fitting(trainer) or epoch % self._every == 0 or epoch == trainer.max_epochs

    def on_validation_end(self, trainer: L.Trainer, pl_module: Drawn) -> None:
        self._draw(trainer, pl_module, f"val_{trainer.current_epoch + 1:03d}")

    def on_test_end(self, trainer: L.Trainer, pl_module: Drawn) -> None:
        self._draw(trainer, pl_module, trainer.datamodule.evaluated)

    def _draw(self, trainer: L.Trainer, task: Drawn, name: str) -> None:
        rows, seen, self._rows, self._looks = self._rows, self._looks, [], []
        if not rows:
            return
        sheet = contact_sheet(rows, task.description if "mask" in task.fields else None)
        path = Path(trainer.default_root_dir) / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        info = PngInfo()
        info.add_text("panels", json.dumps({"names": [look.name for look in seen], **sheet.info}))
        sheet.save(path, pnginfo=info)
        for logger in trainer.loggers:
            if isinstance(logger, Guarded):
                key = f"{name.partition('_')[0]}/pictures"
                logger.show(key, sheet, seen, task.description.classes, trainer.global_step)


def taken(index: int, batches: int, count: int, kept: int) -> int:
    """How many images of batch `index` are kept, so that `count` are spread over all batches; `kept` are there."""
    chosen = {batches * i // count for i in range(count)}
    return min(math.ceil(count / len(chosen)), count - kept) if index in chosen else 0


def _fitting(trainer: L.Trainer) -> bool:
    return trainer.state.fn == TrainerFn.FITTING


def looks(task: Drawn, batch: Batch, answer: Any, images: UInt8[Tensor, " b 3 i j"], count: int) -> list[Look]:
    """The first `count` images of a batch with what is known and what was predicted: class maps that do not overlap,
    and objects with those that score at least the task's threshold."""
    answer = answer.get("mask", answer) if isinstance(answer, dict) else answer  # of several fields that with classes
    found = []
    for i in range(count):
        maps, objects = {}, {}
        if "mask" in task.fields and isinstance(answer, Tensor) and answer.ndim == 3 and batch.mask is not None:
            maps = {"target": batch.mask[i].cpu(), "prediction": answer[i].cpu()}
        elif isinstance(answer, list) and batch.instances is not None:
            kept = answer[i].only(answer[i].scores >= getattr(task, "threshold", 0.5))
            objects = {"target": _boxed(batch.instances[i]), "prediction": _boxed(kept)}
        found.append(Look(batch.name[i], images[i].cpu(), maps, objects))
    return found


def _boxed(objects: Instances) -> Instances:
    """Boxes, classes and scores alone: masks of a large image are large."""
    scores = None if objects.scores is None else objects.scores.cpu()
    return Instances(objects.boxes.cpu(), objects.labels.cpu(), scores=scores)


def contact_sheet(rows: list[dict[str, UInt8[Tensor, "3 _ _"]]], description: Description | None) -> Image.Image:
    """Panels side by side, an image a row, with titles above and the colours of the classes, if there are any, below.

    Its `info` says where the panels are, in pixels: left and width of each column, top of each row, and the height.
    """
    scaled = [{name: _scaled(panel) for name, panel in row.items()} for row in rows]
    widths = [max(row[name].shape[1] for row in scaled) for name in scaled[0]]
    classes = dict(zip(description.classes, description.colors, strict=True)) if description else {}
    legend = _legend(classes, sum(widths) + _GAP * (len(widths) - 1))
    height = _BAR + len(scaled) * (_HEIGHT + _GAP)
    sheet = Image.new("RGB", (legend.width, height + legend.height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    left, tops, columns = 0, [_BAR + index * (_HEIGHT + _GAP) for index in range(len(scaled))], {}
    for name, width in zip(scaled[0], widths, strict=True):
        draw.text((left + 2, 1), name, "black", font)
        for top, row in zip(tops, scaled, strict=True):
            sheet.paste(Image.fromarray(row[name]), (left, top))
        columns[name] = (left, width)
        left += width + _GAP
    sheet.paste(legend, (0, height))
    sheet.info = {"columns": columns, "tops": tops, "height": _HEIGHT}
    return sheet


def _scaled(panel: Tensor) -> np.ndarray:
    height, width = panel.shape[-2:]
    size = (_HEIGHT, min(max(1, round(width * _HEIGHT / height)), _WIDEST))  # a strip one pixel high is squeezed
    # nearest: a class must keep its colour, and small images their pixels
    return F.interpolate(panel[None].float(), size, mode="nearest")[0].byte().permute(1, 2, 0).numpy()


def _legend(classes: dict[str, tuple[int, int, int]], width: int) -> Image.Image:
    """Class names beside their colours, in as many lines as they need."""
    font, places, x, y = ImageFont.load_default(14), [], 2, 0
    for name, color in classes.items():
        length = 16 + int(font.getlength(name)) + 14
        if x + length > width and x > 2:
            x, y = 2, y + _BAR
        places.append((x, y, name, color))
        x += length
    legend = Image.new("RGB", (width, y + _BAR + 2 if places else 0), "white")
    draw = ImageDraw.Draw(legend)
    for x, y, name, color in places:
        draw.rectangle((x, y + 4, x + 11, y + 15), tuple(color), "black")
        draw.text((x + 16, y), name, "black", font)
    return legend
