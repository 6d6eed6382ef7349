"""Normals and regression end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import json

import pytest
import torch

from src.evaluate import evaluate
from src.run import checkpoint, cli

TINY = ["data.lengths={train:8,val:4,test:2}", "model=unet_groupnorm", "model.decoder.widths=[8,8,8,8,8]"]


@pytest.mark.parametrize(
    ("task", "more", "figures"),
    [
        ("normals", [], {"under_11_25", "under_30", "mean_angle", "median_angle", "rmse_angle", "pixels"}),
        ("regression", ["task.field=shading"], {"r2", "rmse", "mae", "known"}),
    ],
)
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(task, more, figures, run, tmp_path):
    words = [f"task={task}", *TINY, "data.resolution=[32,48]", "scheduler=constant", *more]
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
    assert {name: found[name] for name in told["val"]} == told["val"]
    assert (whole / "pictures" / "val.png").is_file()


def test_a_field_that_the_dataset_lacks_is_refused_by_name(run, shared):
    with pytest.raises(ValueError, match="the task needs normals, which this dataset does not provide"):
        run("task=normals", "data=camvid", f"data.root={shared / 'camvid'}")
