"""Tasks of objects end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import json

import pytest
import torch
from PIL import Image

from src.evaluate import evaluate
from src.run import checkpoint, cli

TINY = ["data.resolution=[48,64]", "data.lengths={train:4,val:2,test:1}", "data.batch_size=2", "scheduler=constant"]
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
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(task, more, figures, run, tmp_path):
    boxes = "model=faster_rcnn" in more
    words = [f"task={task}", *TINY, *(word for word in NARROW if not (boxes and ".mask." in word)), *more]
    whole = run(*words, "trainer.max_epochs=2", folder="whole")
    run(*words, "trainer.max_epochs=1", folder="part")
    again = run(*words, "trainer.max_epochs=2", "resume=auto", folder="part")
    weights = [checkpoint.load(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (whole, again)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    told = json.loads((whole / "results.json").read_text())
    assert (told["task"], told["status"]) == (task, "finished")
    assert figures <= set(told["val"])
    output = tmp_path / "scores.json"
    evaluate(cli.compose("evaluate", [f"ckpt={whole}/checkpoints/best.ckpt", f"output={output}"]))
    found = json.loads(output.read_text())
    same = {name: value for name, value in told["val"].items() if value is not None}
    assert {name: found[name] for name in same} == same
    assert (whole / "pictures" / "val.png").is_file()


def test_a_dataset_without_objects_is_refused_by_name(run, tmp_path):
    for kind, value in (("image", 90), ("label", 255)):
        (tmp_path / "train" / kind).mkdir(parents=True)
        for index in range(5):
            Image.new("L", (64, 64), value).save(tmp_path / "train" / kind / f"{index}.png")
    with pytest.raises(ValueError, match="the task needs instances, which this dataset does not provide"):
        run("task=instance", "data=isbi", f"data.root={tmp_path}")
