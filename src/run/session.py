"""One training run: its parts built and checked against one another, fitted, and scored."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint
from rich.console import Console
from torch import Tensor

from src.callback.pruning import Pruning
from src.callback.record import Record
from src.callback.signals import Stopped
from src.callback.throughput import Throughput
from src.data.color_count import color_pixels
from src.data.datamodule import DataModule
from src.data.interface import MissingSplit
from src.metric.table import table
from src.run import chart, checkpoint, count, device, summary
from src.run.build import build
from src.run.evaluation import evaluator, scores
from src.run.folder import write
from src.run.loggers import Loggers
from src.run.memory import advice, out_of_memory
from src.run.outcome import outcome
from src.run.quiet import quiet
from src.run.restore import assembled
from src.run.storage import Storage


class Session:
    """Data, task and trainer of one run folder."""

    def __init__(
        self,
        settings: dict[str, Any],
        folder: Path,
        initial: Path | None = None,
        resumed: tuple[Path, dict[str, Any]] | None = None,
        loggers: Loggers | None = None,
    ) -> None:
        """Build everything and check it against the data, before the first step.

        Args:
            settings: the run's config as plain containers.
            folder: of the run.
            initial: a checkpoint whose fitting weights the model begins with.
            resumed: a checkpoint to go on from, and its contents.
            loggers: of the run, which whoever opened the context ends; None for those of the settings.
        """
        self.settings, self.folder = settings, folder
        self._loggers = loggers or Loggers(settings["logger"], folder, {}, settings)
        quiet()
        L.seed_everything(settings["seed"], verbose=False)
        torch.set_float32_matmul_precision("high")
        fields = needed_fields(settings["task"])
        self.data: DataModule = build(
            settings["data"], transform=build(settings["transform"]), fields=fields, seed=settings["seed"]
        )
        missing = set(fields) - set(self.data.description.fields)
        if missing:
            raise ValueError(f"the task needs {', '.join(sorted(missing))}, which this dataset does not provide")
        self.task = assembled(settings, self.data.description)
        if resumed:
            checkpoint.load_weights(self.task, resumed[0], resumed[1]["state_dict"])
        self._resumed = resumed and resumed[0]
        self.splits = self._checked()
        if initial:
            self._begin_with(initial)
        for part in self.task.loss.modules():
            if hasattr(part, "calibrate"):
                part.calibrate(*self.data.frequencies())
            if hasattr(part, "calibrate_colors") and not part.calibrated:  # a run that goes on knows them
                part.calibrate_colors(color_pixels(self.data.split("train"), self.data.description))
        self.trainer = self._trainer(resumed[1].get("loggers", {}) if resumed else {})
        self.interrupted: int | None = None  # the signal that ended the run, if one did
        self._confusions: dict[str, Tensor] = {}  # of the best checkpoint, by split
        self.flops = summary.flops(self.task, self._size())

    def fit(self) -> dict[str, Any]:
        """Train; what is known after it."""
        if self.trainer.is_global_zero:
            write(self.folder / "config.yaml", yaml.safe_dump(self.settings, sort_keys=False))
            summary.show(self._facts(), self.data, self.splits)
        try:
            self.trainer.fit(self.task, datamodule=self.data, ckpt_path=self._resumed, weights_only=True)
        except Stopped as stop:
            self.interrupted = stop.signal
        except Exception as error:
            self._explain(error)
            raise
        best = self._best().best_model_score
        speed = next((c.images_per_second for c in self.trainer.callbacks if isinstance(c, Throughput)), None)
        seen = self.trainer.global_step * self.trainer.accumulate_grad_batches * self.data.batch_size
        return {
            "status": "interrupted" if self.interrupted else "pruned" if self._pruned() else "finished",
            "score": None if best is None else float(best),
            "params": count.parameters(self.task.model),
            "flops_per_image": self.flops,
            "total_flops": 3 * self.flops * seen,  # the backward pass costs twice the forward pass
            "images_per_second": speed,
            "epochs": self.trainer.current_epoch,
            "skipped": self.data.skipped,
            "device": device.name(self.trainer.strategy.root_device),
        }

    def scores(self) -> dict[str, dict[str, float] | None]:
        """The best checkpoint on val and test, or the last one where trainer.max_steps ended the run before any
        evaluation; None for a split that is not there. A model that was divided is whole again."""
        path = Path(self._best().best_model_path or self.folder / "checkpoints" / "last.ckpt")
        names = ("accelerator", "devices", "num_nodes", "strategy", "precision", "deterministic")
        options = {name: value for name, value in self.settings["trainer"].items() if name in names}
        if hasattr(self.trainer.strategy, "divide"):
            self.task, options["strategy"] = assembled(self.settings, self.data.description), "ddp"
        checkpoint.load_weights(self.task, path, checkpoint.load(path)["state_dict"])
        options["limit_test_batches"] = self.settings["trainer"]["limit_val_batches"]
        trainer = evaluator(options, self.folder, pictures=10)
        found = dict.fromkeys(("val", "test"))
        for split in self.splits[1:]:
            found[split] = scores(self.task, self.data, split, trainer)
            values = self.task.values["test"]
            confusion = values.get("mask", values).get("confusion")  # of several fields that with classes
            if confusion is not None and confusion.ndim == 2:  # where masks overlap there is one per class
                self._confusions[split] = confusion
        return found

    def report(self, facts: dict[str, Any]) -> None:
        """The table of results, curves and confusion matrix, and where all of it is."""
        pictures = self.folder / "pictures"
        chart.curves(self.folder / "metrics.csv", pictures / "curves.png")
        console = Console()
        for split in ("val", "test"):
            if facts[split]:
                shown = table(facts[split], self.task.description)
                shown.title = f"{split}, best checkpoint"
                console.print(shown)
        classes = self.task.description.classes
        for confusion in list(self._confusions.values())[-1:]:
            chart.confusion(confusion, classes, pictures / "confusion.png")
        for logger in self.trainer.loggers:
            logger.conclude(outcome(self.folder, facts, self.trainer.global_step, classes, self._confusions))
        print(f"pictures  {pictures}\nrun       {self.folder}")

    def _checked(self) -> list[str]:
        """The splits that are there, each read and found good; train and val must be."""
        self.data.check("train", "val")
        try:
            self.data.check("test")
        except MissingSplit as error:
            print(f"test is not evaluated: {error}")
            return ["train", "val"]
        return ["train", "val", "test"]

    def _begin_with(self, path: Path) -> None:
        left = checkpoint.take(self.task.model, _model_of(checkpoint.load(path)["state_dict"]))
        print(f"init: weights from {path}; {len(left)} do not fit{':' if left else ''}", *left, sep="\n  ")

    def _explain(self, error: Exception) -> None:
        """Raise what a user can act on instead, where there is such a thing."""
        saved = f"Saved until then: {self.folder / 'checkpoints'}"
        if out_of_memory(error):
            step = self.trainer.global_step
            raise ValueError(f"out of memory in step {step}. {advice(self.settings)}. {saved}") from error
        if found := re.search(r"(\S+) does not have a deterministic implementation", str(error)):
            model = type(self.task.model).__name__
            raise ValueError(
                f"trainer.deterministic=true: {found[1]}, which {model} or its loss needs, has no deterministic "
                "implementation here. Say trainer.deterministic=warn, or choose another model/upsample or loss"
            ) from error

    def _trainer(self, loggers: dict[str, Any]) -> L.Trainer:
        callbacks = [build(part) for part in self.settings["callback"].values()]
        for callback in callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.dirpath is None:
                callback.dirpath = str(self.folder / "checkpoints")
        record = Record(self.settings, self.data.description)
        options = {**self.settings["trainer"], "enable_model_summary": False, "use_distributed_sampler": False}
        parts = {"callbacks": [record, *callbacks], "logger": self._loggers.open(loggers), "plugins": [Storage()]}
        return build(options, **parts, default_root_dir=str(self.folder))

    def _best(self) -> ModelCheckpoint:
        return next(c for c in self.trainer.callbacks if isinstance(c, ModelCheckpoint) and c.monitor)

    def _pruned(self) -> bool:
        return any(isinstance(callback, Pruning) and callback.pruned for callback in self.trainer.callbacks)

    def _size(self) -> tuple[int, int]:
        return self.data.size or self.data.split("val").size(0)

    def _facts(self) -> dict[str, object]:
        s, trainer = self.settings, self.trainer
        return {
            "task": type(self.task).__name__.lower(),
            "model": f"{count.parameters(self.task.model):,} parameters, {self.flops / 1e9:.2f} GFLOPs per image",
            "loss": type(self.task.loss).__name__,
            "device": f"{trainer.world_size} × {device.name(trainer.strategy.root_device)}, {trainer.precision}",
            "batch": f"{s['data']['batch_size']} images, {trainer.max_epochs} epochs, seed {s['seed']}",
            "run": self.folder,
        }


def needed_fields(task: dict[str, Any]) -> Sequence[str]:
    """The fields a task needs, before it is built; of several tasks in one those of the chosen ones."""
    from hydra.utils import get_class

    if "parts" in task:
        chosen = [task["parts"][field] for field in task["fields"]]
        return tuple(dict.fromkeys(field for part in chosen for field in needed_fields(part)))
    return (*get_class(task["_target_"]).fields, *([task["field"]] if "field" in task else []))


def _model_of(state: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix("model."): value for key, value in state.items() if key.startswith("model.")}
