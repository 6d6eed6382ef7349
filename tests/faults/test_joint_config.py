"""Several fields at once: what does not go together is refused before any data is read, with what would."""

import pytest

from src.run import cli
from src.run.build import plain
from src.run.check import check


def checked(*words: str) -> None:
    check(plain(cli.compose("train", ["task=joint", *words])))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task.fields=[]"], r"task\.fields=\[\]: name one field or more, each once, of mask, depth, normals, color"),
        (["task.fields=[mask,mask]"], "each once"),
        (["task.fields=[mask,dpth]"], r"names 'dpth'; did you mean 'depth'\? There are: mask, depth"),
        (["model=unet"], "this model gives one map, .* take model=multi_head"),
        (["model=mask_rcnn"], "take model=multi_head"),
        (["model.share=head"], r"model\.share='head': expected backbone, decoder"),
        (["loss=dice"], "loss=dice .* this is task=joint: take loss=joint"),
        (["loss@loss.depth=dice"], r"loss\.depth=dice .*this is task=depth: take loss@loss\.depth="),
        (["loss.normals=null"], r"loss\.normals: there is none, .*\+loss@loss\.normals="),
        (["loss/weighting=uncertainty", "loss@loss.normals=angmf"], r"loss\.normals may fall below"),
        (["loss.weighting.rate=0", "loss/weighting=uncertainty"], r"loss\.weighting\.rate=0: expected more than 0"),
        (["loss.weighting.weights.depth=-1"], r"loss\.weighting\.weights=.*at least 0"),
        (["loss/weighting=gradient_norm", "loss.weighting.alpha=-1"], "at least 0"),
        (["task.parts.mask.multilabel=true"], r"task\.parts\.mask: .*data\.multilabel=true"),
        (["callback.best.monitor=val/depth/delta"], "the task never logs it; did you mean 'val/delta1'"),
        (["callback.best.monitor=val/color/auc", "task.fields=[mask]"], r"val/mask/NAME"),
        (["callback.best.monitor=val/mask/score"], r"There are: val/score, val/loss, .*val/mask/NAME"),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_would(words, message):
    with pytest.raises(ValueError, match=message):
        checked(*words)


@pytest.mark.parametrize(
    "words",
    [
        ["task.fields=[color]"],
        ["task.fields=[depth,normals]", "loss.mask=null", "loss@loss.depth=berhu", "task.parts.depth.measure=metres"],
        ["loss/weighting=gradient_norm", "loss@loss.normals=angmf", "model.share=backbone"],
        ["callback.best.monitor=val/mask/iou/sky"],
        ["callback.best.monitor=val/depth/delta1"],
        ["callback.best.monitor=train/weight/depth"],
        ["+task.parts.near={_target_: src.task.depth.Depth, _partial_: true, cap: [0.1, 3.0]}",
         "+loss@loss.near=l1", "+loss.weighting.weights.near=1", "task.fields=[mask,near]"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_goes_together_passes(words):
    checked(*words)


def test_other_tasks_have_no_use_for_a_loss_of_several_fields():
    with pytest.raises(ValueError, match="loss=joint"):
        check(plain(cli.compose("train", ["loss=joint"])))
