"""Several fields end to end: trained, gone on with after a stop, evaluated; on embedded scenes."""

import pytest

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
    fields, weighting, more, headline, stopped, tmp_path
):
    told, weights = stopped(*TINY, f"task.fields={fields}", f"loss/weighting={weighting}", *more)
    learnt = [key for key in weights if key.startswith("loss.weighting.") and "first" not in key]
    assert bool(learnt) == (weighting != "fixed")
    assert all(weights[key].any() for key in learnt)  # from zero on
    names = fields.strip("[]").split(",")
    scores = [told["val"][f"{field}/{name}"] for field, name in zip(names, headline, strict=True)]
    assert told["val"]["score"] == pytest.approx(sum(scores) / len(scores))
    logged = set((tmp_path / "whole" / "metrics.csv").read_text().splitlines()[0].split(","))
    assert {f"train/{field}" for field in names} | {f"train/weight/{field}" for field in names} <= logged
    assert told["flops_per_image"] > 0
