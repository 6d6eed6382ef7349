import pytest

from src.logger.about import About

FACTS = {"task": "semantic", "model": "unet", "backbone": "resnet18", "decoder": "unet", "loss": "dice"}
FACTS |= {"data": "camvid", "seed": 2, "lr": 0.01, "git": "abc", "score": 0.5}


def about(tmp_path, sweep=None, **facts) -> About:
    return About(tmp_path, FACTS | facts, {"loss": {"_target_": "src.loss.dice.Dice", "smooth": None}}, sweep)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "unet-resnet18-dice-camvid-s2"),
        ({"backbone": None}, "unet-dice-camvid-s2"),
        ({"task": "depth", "loss": "silog"}, "depth-unet-resnet18-silog-camvid-s2"),
        (
            {"axes": {"optimizer.lr": 0.01, "data.batch_size": 4, "loss": "dice", "trainer.max_epochs": 1}},
            "unet-resnet18-dice-camvid-s2-lr=0.01",
        ),
        ({"axes": {"optimizer.x": "y" * 200}}, "unet-resnet18-dice-camvid-s2-x=" + "y" * 89),
    ],
)
def test_a_name_says_the_axes_that_matter(tmp_path, facts, name):
    assert about(tmp_path, **facts).name == name


def test_a_group_is_the_sweep_or_task_and_data(tmp_path):
    assert about(tmp_path).group == "semantic/camvid"
    assert about(tmp_path, "2026-11-23_10-00-00").group == "2026-11-23_10-00-00"


def test_tags_are_the_choices_each_once(tmp_path):
    assert about(tmp_path).tags == ["semantic", "unet", "resnet18", "dice", "camvid"]
    assert max(map(len, about(tmp_path, data="d" * 99).tags)) == 64


def test_what_is_compared_stands_at_the_top(tmp_path):
    plain = about(tmp_path, axes={"model/head": "conv"}).plain
    assert plain["loss"] == "dice"  # and not the loss's own config
    assert plain["config"]["loss"]["_target_"] == "src.loss.dice.Dice"
    assert plain["axes"] == {"model/head": "conv"}
    assert "score" not in plain
    flat = about(tmp_path).flat
    assert (flat["lr"], flat["config.loss.smooth"]) == (0.01, "None")
