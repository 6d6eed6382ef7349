"""A W&B workspace of the runs of this project: scores by axis, curves, classes, confusions, samples."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.logger.guarded import reason

AXES = ("model", "backbone", "decoder", "loss", "data")
_STEP = "trainer/global_step"
_MOST = 40  # classes that bars can show
_MACHINE = ("train/images_per_second", "train/memory_mb", "train/cpu_seconds")


def found(runs: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The axes in which the runs below a folder differ, and the classes that they have scores of.

    Raises:
        ValueError: there is no run.
    """
    facts = [json.loads(file.read_text(encoding="utf8")) for file in sorted(runs.rglob("results.json"))]
    if not facts:
        raise ValueError(f"runs={runs}: there is no run (no results.json) below this folder")
    axes = tuple(axis for axis in AXES if len({str(run.get(axis)) for run in facts}) > 1)
    names = [key for run in facts for key in (run.get("test") or run.get("val") or {}) if key.startswith("iou/")]
    return axes or AXES[:1], tuple(dict.fromkeys(name.removeprefix("iou/") for name in names))


def workspace(entity: str, project: str, name: str, metric: str, axes: Sequence[str], classes: Sequence[str]) -> Any:
    """The workspace, not saved.

    Args:
        entity, project, name: as W&B has them.
        metric: a figure of the summary, such as best/val/score.
        axes: of the runs' config.
        classes: that get a bar each; none leaves these out.

    Raises:
        ValueError: wandb-workspaces is not installed.
    """
    try:
        import wandb_workspaces.reports.v2 as wr
        import wandb_workspaces.workspaces as ws
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install wandb wandb-workspaces") from error
    parts = {
        "Scores": _scores(wr, metric, axes),
        "Axes": _together(wr, metric, axes),
        "Curves": _curves(wr, ("val/score", "val/loss", "train/loss", "train/lr")),
        "Classes": _classes(wr, classes),
        "Samples": [_media(wr, key) for key in ("val/samples", "val/pictures")],
        "Machine": _curves(wr, _MACHINE),
    }
    sections = [ws.Section(name=title, panels=panels, is_open=True) for title, panels in parts.items()]
    columns = [f"summary:{metric}", *(f"config:{axis}" for axis in (*axes, "seed"))]
    runs = ws.RunsetSettings(pinned_columns=columns)
    settings = ws.WorkspaceSettings(x_axis=_STEP, max_runs=50)
    return ws.Workspace(
        entity=entity, project=project, name=name, sections=sections, settings=settings, runset_settings=runs
    )


def text(made: Any) -> str:
    """The specification that W&B would store, as JSON."""
    view = made._to_model()
    content = {"entity": view.entity, "project": view.project, "name": view.display_name}
    content["spec"] = json.loads(view.spec.model_dump_json(by_alias=True, exclude_none=True))
    return json.dumps(content, indent=1) + "\n"


def save(made: Any) -> str:
    """Save in W&B; the address.

    Raises:
        ValueError: there is no key, or the server does not take it.
    """
    import wandb

    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        if not wandb.login(prompt=False, verify=False):
            raise ValueError("there is no key")
        made.entity = made.entity or wandb.Api().default_entity
        return made.save().url
    except Exception as error:
        raise ValueError(
            f"the workspace cannot be saved in W&B ({reason(error)}). It needs an account: `wandb login` or "
            "WANDB_API_KEY, and WANDB_BASE_URL for a server of your own. output=FILE.json writes it without one"
        ) from error


def _scores(wr: Any, metric: str, axes: Sequence[str]) -> list[Any]:
    """A bar per choice of each axis, the mean over all other axes and seeds, and the score against its cost."""
    bars = [
        wr.BarPlot(
            title=f"{metric} by {axis}",
            metrics=[metric],
            groupby=wr.Config(axis),
            groupby_aggfunc="mean",
            groupby_rangefunc="stderr",
        )
        for axis in axes
    ]
    score = wr.SummaryMetric(metric)
    costs = ("run/params", "run/flops_per_image", "run/images_per_second", "run/seconds")
    return bars + [
        wr.ScatterPlot(title=f"against {cost.partition('/')[2]}", x=wr.SummaryMetric(cost), y=score, log_x=True)
        for cost in costs
    ]


def _together(wr: Any, metric: str, axes: Sequence[str]) -> list[Any]:
    names = [*axes, "lr", "batch_size", "seed"]
    columns = [wr.ParallelCoordinatesPlotColumn(metric=wr.Config(name), display_name=name) for name in names]
    columns.append(wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric(metric), display_name=metric))
    return [
        wr.ParallelCoordinatesPlot(title="which choices lead where", columns=columns),
        wr.ParameterImportancePlot(with_respect_to=metric),
    ]


def _curves(wr: Any, names: Sequence[str]) -> list[Any]:
    return [wr.LinePlot(title=name, x=_STEP, y=[name]) for name in names]


def _classes(wr: Any, classes: Sequence[str]) -> list[Any]:
    bars = [
        wr.BarPlot(title=f"IoU by class, {split}", metrics=[f"best/{split}/iou/{name}" for name in classes[:_MOST]])
        for split in ("val", "test")
        if classes
    ]
    tables = [wr.WeavePanelSummaryTable(table_name=f"best/{split}/classes") for split in ("val", "test")]
    fields = {"Actual": "target", "Predicted": "output", "nPredictions": "pixels"}
    matrix = wr.CustomChart(
        query={"summaryTable": {"tableKey": "best/test/confusion_matrix_table"}},
        chart_name="wandb/confusion_matrix/v1",
        chart_fields=fields,
        chart_strings={"title": "confusion of classes, test"},
    )
    return [*bars, *tables, matrix, _media(wr, "best/test/confusion")]


def _media(wr: Any, key: str) -> Any:
    return wr.MediaBrowser(title=key, media_keys=[key], num_columns=3)
