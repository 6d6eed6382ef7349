"""Several fields end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import json

import pytest
import torch

from src.evaluate import evaluate
from src.run import checkpoint, cli

TINY = ["task=joint", "data.resolution=[32,48]", "data.lengths={train:4,val:2,test:1}", "data.batch_size=2"]
TINY += ["model/backbone=plain", "model.backbone.widths=[4,6,8]", "model.decoder.widths=[8,6]", "optimizer.lr=0.01"]


@pytest.mark.parametrize(
    ("fields", "weighting", "more", "headline"),
    [
        ("[mask,depth,normals]", "uncertainty", [], ("miou", "delta1", "under_11_25")),
        ("[mask,normals]", "gradient_norm", ["model.share=backbone"], ("miou", "under_11_25")),
        ("[depth,color]", "fixed", ["loss@loss.depth=berhu", "loss@loss.color=smooth_l1"], ("delta1", "auc")),
    ],
)
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(
    fields, weighting, more, headline, run, tmp_path
):
    words = [*TINY, f"task.fields={fields}", f"loss/weighting={weighting}", *more]
    whole = run(*words, "scheduler=constant", "trainer.max_epochs=2", folder="whole")
    run(*words, "scheduler=constant", "trainer.max_epochs=1", folder="part")
    again = run(*words, "scheduler=constant", "trainer.max_epochs=2", "resume=auto", folder="part")
    kept = [checkpoint.load(folder / "checkpoints" / "last.ckpt") for folder in (whole, again)]
    assert all(torch.equal(value, kept[1]["state_dict"][key]) for key, value in kept[0]["state_dict"].items())
    learnt = [key for key in kept[0]["state_dict"] if key.startswith("loss.weighting.") and "first" not in key]
    assert bool(learnt) == (weighting != "fixed")
    assert all(kept[0]["state_dict"][key].any() for key in learnt)  # from zero on
    told = json.loads((whole / "results.json").read_text())
    names = fields.strip("[]").split(",")
    scores = [told["val"][f"{field}/{name}"] for field, name in zip(names, headline, strict=True)]
    assert told["val"]["score"] == pytest.approx(sum(scores) / len(scores))
    rows = (whole / "metrics.csv").read_text().splitlines()
    assert {f"train/{field}" for field in names} | {f"train/weight/{field}" for field in names} <= set(
        rows[0].split(",")
    )
    output = tmp_path / "scores.json"
    evaluate(cli.compose("evaluate", [f"ckpt={whole}/checkpoints/best.ckpt", f"output={output}"]))
    found = json.loads(output.read_text())
    same = {name: value for name, value in told["val"].items() if value is not None}
    assert {name: found[name] for name in same} == same
    assert (whole / "pictures" / "val.png").is_file()
    assert told["flops_per_image"] > 0
