"""Tasks of objects end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import pytest
from PIL import Image

TINY = ["data.resolution=[48,64]", "data.lengths={train:4,val:2,test:1}", "data.batch_size=2"]
NARROW = ["model.box.width=8", "model.mask.width=8", "model.mask.layers=1", "model.neck.width=8"]
POINTS = ["model.keypoint.width=8", "model.keypoint.layers=1", "model.masks=true", "data.people=3"]


@pytest.mark.parametrize(
    ("task", "more", "figures"),
    [
        ("instance", [], {"ap", "ap50", "box/ap", "map/miou", "ap/cone"}),
        ("instance", ["model=faster_rcnn"], {"box/ap", "box/ap/cone"}),
        ("keypoint", POINTS, {"ap", "pck", "box/ap", "mask/ap", "map/miou"}),
    ],
)
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(task, more, figures, stopped):
    boxes = "model=faster_rcnn" in more
    words = [f"task={task}", *TINY, *(word for word in NARROW if not (boxes and ".mask." in word)), *more]
    told, _ = stopped(*words)
    assert told["task"] == task
    assert figures <= set(told["val"])


def test_a_dataset_without_objects_is_refused_by_name(run, tmp_path):
    for kind, value in (("image", 90), ("label", 255)):
        (tmp_path / "train" / kind).mkdir(parents=True)
        for index in range(5):
            Image.new("L", (64, 64), value).save(tmp_path / "train" / kind / f"{index}.png")
    with pytest.raises(ValueError, match="the task needs instances, which this dataset does not provide"):
        run("task=instance", "data=isbi", f"data.root={tmp_path}")
