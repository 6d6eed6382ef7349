"""Normals and regression end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import pytest

TINY = ["data.lengths={train:8,val:4,test:2}", "model=encoder_decoder", "model.backbone.widths=[4,6,8,8]"]


@pytest.mark.parametrize(
    ("task", "more", "figures"),
    [
        ("normals", [], {"under_11_25", "under_30", "mean_angle", "median_angle", "rmse_angle", "pixels"}),
        ("regression", ["task.field=shading"], {"r2", "rmse", "mae", "known"}),
    ],
)
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(task, more, figures, stopped):
    told, _ = stopped(f"task={task}", *TINY, "data.resolution=[32,48]", *more)
    assert told["task"] == task
    assert figures <= set(told["val"])


def test_a_field_that_the_dataset_lacks_is_refused_by_name(run, shared):
    with pytest.raises(ValueError, match="the task needs normals, which this dataset does not provide"):
        run("task=normals", "data=camvid", f"data.root={shared / 'camvid'}")
