"""Depth end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import pytest
from PIL import Image

from src.metric.depth import SCORES

NARROW = ["task=depth", "model=encoder_decoder", "model.backbone.widths=[4,6,8,8]"]


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["task.measure=metres", "loss=l1_gradient", "task.cap=[0.5,80]", "task.align=median", "task.averaging=pixel"],
    ],
)
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(more, stopped):
    told, _ = stopped(*NARROW, *more)
    assert told["task"] == "depth"
    assert {*SCORES, "pixels", "score", "loss"} <= set(told["val"])


def test_what_does_not_go_together_is_refused_before_data_is_read(run):
    for words, said in (
        (["task=depth", "task.measure=metres"], r"task\.measure=metres"),
        (["task=depth", "loss=dice"], "loss=dice .* task=depth"),
        (["task=depth", "task.cap=[10,1]"], r"task\.cap"),
        (["task=depth", "task.crop=kitti"], r"task\.crop=.*none, eigen, garg"),
        (["task=depth", "callback.best.monitor=val/delta9"], "delta"),
    ):
        with pytest.raises(ValueError, match=said):
            run(*words)


def test_a_dataset_without_depth_is_refused_by_name(run, tmp_path):
    for kind, value in (("image", 90), ("label", 255)):
        (tmp_path / "train" / kind).mkdir(parents=True)
        for index in range(5):
            Image.new("L", (64, 64), value).save(tmp_path / "train" / kind / f"{index}.png")
    with pytest.raises(ValueError, match="depth"):
        run("task=depth", "data=isbi", f"data.root={tmp_path}")
