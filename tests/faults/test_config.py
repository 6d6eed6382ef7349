"""A slip of the finger, a value that cannot be meant, and settings that do not go together are refused at once."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, flag_override
from omegaconf.errors import OmegaConfBaseException

from src.run import cli, plugins
from src.run.build import plain
from src.run.check import check
from src.run.nearest import nearest, one_edit

LETTERS = "abcdefghijklmnopqrstuvwxyz_"
COMMANDS = ("train", "evaluate", "predict", "score", "report")
VARIANTS = ("", "loss=cross_entropy_dice", "callback=[default,ema,early_stopping]", "model=fcn8s_small", "logger=wandb")
FREE = ("task.metrics", "model.backbone.options", "data.values", "data.label_map", "data.colors")
GIVEN = {"evaluate": ["ckpt=a"], "predict": ["ckpt=a", "input=b", "output=c"], "score": ["prediction=a", "target=b"]}


def slip(word: str, draw: random.Random) -> str:
    """The word with one letter left out, put in, replaced, or swapped with the next."""
    place, letter = draw.randrange(len(word)), draw.choice(LETTERS)
    match draw.choice(("delete", "insert", "replace", "swap")):
        case "delete" if len(word) > 1:
            return word[:place] + word[place + 1 :]
        case "replace":
            return word[:place] + letter + word[place + 1 :]
        case "swap" if place + 1 < len(word):
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + letter + word[place:]


@cache
def composed(command: str, variant: str) -> DictConfig:
    return cli.compose(command, [*GIVEN.get(command, []), *([variant] if variant else [])])


def keys(node: Any, prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if not key.startswith("_") and not path.startswith(FREE):
            yield path
            if isinstance(value, dict):
                yield from keys(value, f"{path}.")


def known(command: str, variant: str) -> list[str]:
    return list(keys(OmegaConf.to_container(composed(command, variant), resolve=False)))


def overridden(command: str, variant: str, word: str) -> None:
    """What the front door does with a word on the command line, from the composed config on."""
    config = composed(command, variant).copy()
    with flag_override(config, "struct", True):
        ConfigLoaderImpl._apply_overrides_to_config(OverridesParser.create().parse_overrides([word]), config)
    check(plain(config), command)


def written(command: str, variant: str, key: str, value: Any) -> None:
    """The same for a key of the user's own YAML, which Hydra merges without asking."""
    config = composed(command, variant).copy()
    with flag_override(config, "struct", False):
        OmegaConf.update(config, key, value, merge=True, force_add=True)
    check(plain(config), command)


def refusal(attempt: Callable[[], None], command: str, words: list[str]) -> str | None:
    """The line that a user would read, None if the attempt goes through."""
    try:
        attempt()
    except (ValueError, HydraException, OmegaConfBaseException) as error:
        return cli.explained(error, command, words)
    return None


def typos(count: int, seed: int) -> list[str]:
    """Tries `count` slips of all kinds; those that went through, or whose refusal does not name what was meant."""
    draw, missed = random.Random(seed), []
    for _ in range(count):
        command, variant = "train", draw.choice(VARIANTS)
        if draw.random() < 0.2:
            command, variant = draw.choice(COMMANDS[1:]), ""
        all_keys = known(command, variant)
        key = draw.choice(all_keys)
        words = key.split(".")
        place = draw.randrange(len(words))
        wrong = slip(words[place], draw)
        typo = ".".join([*words[:place], wrong, *words[place + 1 :]])
        siblings = [other.split(".")[place] for other in all_keys if other.startswith(".".join(words[:place]))
                    and other.count(".") >= place]  # fmt: skip
        if wrong in siblings:  # another key: no slip
            continue
        value = OmegaConf.select(composed(command, variant), key)
        form = draw.choice(("", "+", "++", "~", "yaml"))
        if form == "yaml":
            content = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
            if words[0] in ("callback", "logger") and isinstance(content, dict):
                continue  # a whole part by another name is another part
            said = refusal(lambda t=typo, v=content: written(command, variant, t, v), command, [])  # noqa: B023
        else:
            word = f"{form}{typo}" if form == "~" else f"{form}{typo}={'{}' if OmegaConf.is_dict(value) else 1}"
            said = refusal(lambda w=word: overridden(command, variant, w), command, [variant, word])  # noqa: B023
        if said is None:
            missed.append(f"{command} {variant} {form}{typo} went through")
        elif not any(
            f"{text}'" in said
            for near in siblings
            if one_edit(wrong, near)
            for text in (near, ".".join([*words[:place], near, *words[place + 1 :]]))
        ):
            missed.append(f"{command} {variant} {form}{typo} (meant {words[place]}): {said}")
    return missed


def test_slips_are_refused_with_the_nearest_key(tally):
    missed = typos(200, seed=1)
    tally("config typos", tried=200, failed=len(missed))
    assert len(missed) <= 1, "\n".join(missed)
    assert not any("went through" in line for line in missed)


@pytest.mark.long
def test_a_thousand_slips_are_refused_with_the_nearest_key(tally):
    missed = typos(1000, seed=2)
    tally("config typos", tried=1000, failed=len(missed))
    assert len(missed) <= 5, "\n".join(missed)
    assert not any("went through" in line for line in missed)


def test_slips_in_groups_and_choices_are_refused_with_the_nearest(tally):
    draw, missed, tried = random.Random(3), [], 0
    others = ("model/norm", "model/neck", "model/roi", "loss/weighting")  # what a U-Net's training has not
    groups = [group for group in plugins.groups() if not group.startswith("hydra") and group not in others]
    for _ in range(40):
        group = draw.choice(groups)
        options = cli.options_of(group)
        option = draw.choice(options)
        if draw.random() < 0.5:
            wrong, meant, choices = slip(group, draw), group, groups
            word = f"{draw.choice(('', '+', '++'))}{wrong}={option}"
        else:
            wrong, meant, choices = slip(option, draw), option, options
            word = f"{group}={wrong}"
        if wrong in choices or word.startswith("task="):
            continue
        tried += 1

        def attempt(word: str = word) -> None:
            check(plain(cli.compose("train", [word])))

        said = refusal(attempt, "train", [word])
        if said is None or not any(f"{near}'" in said for near in choices if one_edit(wrong, near)):
            missed.append(f"{word} (meant {meant}): {said}")
    tally("typos of groups and choices", tried=tried, failed=len(missed))
    assert not missed, "\n".join(missed)


def test_a_part_of_other_models_is_said_to_be_theirs():
    def attempt() -> None:
        cli.compose("train", ["model=unet", "model/neck=fpn"])

    said = refusal(attempt, "train", ["model=unet", "model/neck=fpn"])
    have = "model=faster_rcnn, model=fcis, model=mnc, model=sds"
    assert said == f"model/neck: what was chosen has no neck; what has one: {have}"


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("model/norm@model.head.norm", "+model/norm@model.head.norm"),
        ("model/norm", "+model/norm@PLACE, PLACE being that which takes it"),
    ],
)
def test_a_group_that_is_put_where_it_is_wanted_says_how(word, place):
    said = refusal(lambda: cli.compose("train", [f"{word}=group"]), "train", [f"{word}=group"])
    assert said == f"{word}: nothing was chosen there yet; say {place}; there are: batch, frozen, group"


SLIPS = [
    (["loss=dice", "+loss.smoth=1"], "smooth"),
    (["++trainer.max_epohcs=1"], "max_epochs"),
    (["+sede=1"], "seed"),
    (["+model.backbone.wieghts=null"], "weights"),
    (["+hydra.run.dri=x"], "hydra.run.dir"),
]


@pytest.mark.parametrize(("words", "meant"), SLIPS)
def test_the_command_answers_in_no_time_and_without_torch(tmp_path, words, meant):
    heavy = ["torch", "lightning", "timm", "transformers", "wandb", "matplotlib", "tensorboard", "torchvision"]
    code = (
        "import sys\nfrom src import train\nsys.argv = ['train', *sys.argv[1:]]\n"
        f"try:\n    train.main()\nfinally:\n    print([name for name in {heavy} if name in sys.modules])"
    )
    began = time.monotonic()
    bare = [sys.executable, "-c", "pass"]
    subprocess.run(bare, check=True)
    interpreter, began = time.monotonic() - began, time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(plugins.ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - began - interpreter < 5
    assert process.returncode == 1
    assert meant in process.stderr
    assert len(process.stderr.splitlines()) == 1
    assert process.stdout.strip() == "[]"


VALUES = [
    "optimizer.lr=abc", "optimizer.lr=-1", "optimizer.lr=nan", "optimizer.lr=0", "optimizer.lr=inf",
    "optimizer.lr=null",
    "optimizer.betas=[0.9]", "optimizer.betas=[0.9,1.0]", "optimizer.weight_decay=-0.1", "data.batch_size=0",
    "data.batch_size=2.5", "data.batch_size=true", "data.eval_batch_size=-1", "data.workers=-1", "data.workers=many",
    "data.size=[0,8]", "data.size=[8]", "data.size=8", "data.size=[8,8,8]", "data.size=[8.5,8]", "data.cache=dsk",
    "data.lengths={train:-1}", "data.rooms=1.5", "transform.crop=[0,0]", "transform.crop=0", "transform.scale=[2,1]",
    "transform.scale=[0,1]", "transform.flip=1.5", "transform.flip=-0.1", "transform.flip=yes", "transform.hue=0.6",
    "transform.rotate=200", "transform.elastic=-1", "transform.class_aware=2", "seed=-1", "seed=1.5", "seed=abc",
    "seed=null", "seed=99999999999", "trainer.max_epochs=0", "trainer.max_epochs=-2", "trainer.max_epochs=1.5",
    "trainer.max_steps=0", "trainer.max_time=soon", "trainer.precision=17", "trainer.precision=bf17",
    "trainer.accelerator=gpuu", "trainer.devices=0", "trainer.devices=two", "trainer.devices=[]",
    "trainer.limit_train_batches=0", "trainer.limit_val_batches=1.5", "trainer.limit_val_batches=-1",
    "trainer.accumulate_grad_batches=0", "trainer.gradient_clip_val=-1", "trainer.check_val_every_n_epoch=0",
    "trainer.log_every_n_steps=0", "trainer.deterministic=maybe", "trainer.sync_batchnorm=some",
    "scheduler.warmup=1", "scheduler.warmup=-0.1", "scheduler.final=-1", "callback.best.mode=maximum",
    "callback.pictures.count=-1", "callback.pictures.every_n_epochs=0", "task.threshold=1.5", "task.absent=never",
    "task.freeze=backbone", "task.multilabel=2", "task.trimap=[0]", "model.backbone.name=18",
    "model.decoder.widths=[0,1,2,3,4]", "model.head.dropout=1.0", "model.head.prior=1", "loss.label_smoothing=2",
    "loss.reduction=avg", "resume=3", "init=[a]", "model.backbone=resnet18",
]  # fmt: skip


@pytest.mark.parametrize("word", VALUES)
def test_a_value_that_cannot_be_meant_is_refused(word):
    key = word.partition("=")[0]
    overrides = [word, *(["loss=cross_entropy"] if key.startswith("loss.") else [])]
    with pytest.raises((ValueError, HydraException), match=key):
        check(plain(cli.compose("train", overrides)))


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("evaluate", "split=tset"), ("evaluate", "pictures=-1"), ("evaluate", "allow=os.system"),
        ("evaluate", "combine=median"), ("predict", "combine=median"), ("evaluate", "scales=[0]"),
        ("evaluate", "data.batch_size=0"), ("evaluate", "data.workers=-1"), ("evaluate", "trainer.devices=0"),
        ("evaluate", "trainer.precision=17"), ("evaluate", "data=scenes"), ("predict", "overlap=1"),
        ("predict", "scales=[0]"), ("predict", "batch_size=0"), ("predict", "tile=0"), ("predict", "overlay=3"),
        ("predict", "max_pixels=many"), ("predict", "data.size=[0,1]"), ("predict", "input=5"),
        ("score", "num_classes=0"), ("score", "absent=never"), ("score", "values=ternary"), ("report", "ascending=up"),
        ("report", "metric=[a]"), ("report", "images=0"),
    ],
)  # fmt: skip
def test_the_other_commands_refuse_it_too(command, word):
    with pytest.raises(ValueError, match=word.partition("=")[0]):
        overridden(command, "", word)


@pytest.mark.parametrize("group", ["loss", "optimizer", "model/backbone"])
def test_a_group_cannot_be_nothing(group):
    said = refusal(lambda: check(plain(cli.compose("train", [f"{group}=null"]))), "train", [f"{group}=null"])
    assert said is not None
    assert said.startswith(f"{group}=null: one is needed. There are: {cli.options_of(group)[0]}")


@pytest.mark.parametrize("command", ["evaluate", "predict", "score"])
def test_what_has_no_default_is_asked_for(command):
    with pytest.raises(ValueError, match=r"=\.\.\. is missing"):
        check(plain(cli.compose(command, [])), command)


OVERLAPPING = ["data=folder", "data.root=x", "data.multilabel=true", "task.multilabel=true"]
TOGETHER = [
    (["resume=a.ckpt", "init=b.ckpt"], "say one of them"),
    (["trainer.max_epochs=-1", "trainer.max_time=00:00:10:00"], "a schedule needs"),
    (["trainer.max_epochs=3", "trainer.check_val_every_n_epoch=4"], "say 3 or less"),
    (["trainer.accelerator=cpu", "trainer.precision=16-mixed"], "needs a GPU"),
    (["data.batch_size=9", "trainer.devices=2"], "take 8"),
    (["data.batch_size=9", "trainer.devices=[0,1]"], "take 8"),
    (["task.multilabel=true"], "data=folder data.multilabel=true"),
    (["data=folder", "data.root=x", "data.multilabel=true"], "say the same of both"),
    (OVERLAPPING, "binary_cross_entropy"),
    ([*OVERLAPPING, "loss=cross_entropy_dice"], "focal"),
    (["loss=focal", "loss.alpha=0.25"], "loss.alpha=null"),
    (["model/backbone=vit_small"], "model/decoder=fcn32s"),
    (["model/head=identity"], "model/head=conv"),
    (["data.size=[32,32]", "data.batch_size=1"], "batch_size=2 or more"),
    (["callback.best.monitor=val/miuo"], "val/miou"),
    (["callback=[default,early_stopping]", "callback.early_stopping.monitor=val_loss"], "val/loss"),
    (["callback.best.monitor=val/miou_per_image"], "never logs"),
    (["callback.best.monitor=null"], "nothing keeps the best"),
    (["~callback.best"], "nothing keeps the best"),
    (["loss=cross_entropy_dice", "+loss.weights.dise=1"], "dice"),
    (["loss=cross_entropy_dice", "~loss.weights.dice"], "loss.losses.dice"),
    (["+model.in_channels=3"], "not for you to say"),
    (["~trainer.precision"], "cannot be deleted"),
    (["~loss"], "cannot be deleted"),
    (["~loss._target_"], "no _target_"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"), TOGETHER, ids=lambda value: " ".join(value) if type(value) is list else ""
)
def test_what_does_not_go_together_is_refused_with_what_would(words, message):
    with pytest.raises(ValueError, match=message):
        check(plain(cli.compose("train", words)))


@pytest.mark.parametrize(
    "words",
    [
        ["callback.best.monitor=val/iou/sky"],
        ["callback.best.monitor=val/miou_per_image", "task.per_image=true"],
        ["callback.best.monitor=val/trimap_2", "task.trimap=[1,2]"],
        [*OVERLAPPING, "loss=focal", "loss.alpha=0.2"],
        ["model/backbone=vit_small", "model/decoder=fcn32s", "model/head=identity"],
        ["trainer.max_epochs=-1", "trainer.max_steps=100"],
        ["trainer.devices=2", "data.batch_size=8"],
        ["optimizer._target_=torch.optim.Adam"],
        ["+logger.tensorboard.max_queue=3"],
        ["+model.backbone.options.drop_path_rate=0.1", "model/backbone=convnext_tiny"],
    ],
    ids=" ".join,
)
def test_what_goes_together_passes(words):
    check(plain(cli.compose("train", words)))


def test_what_the_monitor_check_knows_is_what_the_suite_computes():
    from src.data.description import Description
    from src.metric import suite
    from src.run.combination import score

    things = Description(fields=("image", "mask"), classes=("a", "b"), colors=((0, 0, 0),) * 2, things=("a",))
    computed = set(suite.semantic(things, per_image=True)) - {"iou", "confusion"}
    assert computed | {"score", "loss"} == set(score._SCORES["src.task.semantic.Semantic"])


@pytest.mark.parametrize("task", ["normals", "regression"])
def test_what_the_monitor_check_knows_of_normals_and_regression_is_what_their_suite_computes(task):
    from src.data.description import Description
    from src.metric import suite
    from src.run.combination import score

    found = set(getattr(suite, task)(Description(("image",))))
    assert found | {"score", "loss"} == set(score._SCORES[f"src.task.{task}.{task.capitalize()}"])


@pytest.mark.parametrize("task", ["instance", "keypoint"])
def test_what_the_monitor_check_knows_of_objects_is_what_their_suite_computes(task):
    from src.data.description import Description
    from src.metric import suite
    from src.run.combination import score

    facts = {"fields": ("image", "instances"), "classes": ("a", "b"), "colors": ((0, 0, 0),) * 2, "things": ("a",)}
    points = {"keypoints": ("p",), "sigmas": (0.1,)} if task == "keypoint" else {}
    description = Description(**facts, **points)
    scores = getattr(suite, task)(description, masks=True, threshold=0.5)
    found = set(suite.flat(scores.compute(), description)) - {f"{kind}ap/a" for kind in ("", "box/", "mask/")}
    assert found | {"score"} == set(score._SCORES[f"src.task.{task}.{task.capitalize()}"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=mask_rcnn"], "model=mask_rcnn finds objects, .* take task=instance"),
        (["task=instance", "model=unet"], "this model gives a map, .* take model=mask_rcnn or faster_rcnn"),
        (["task=keypoint", "model=mask_rcnn"], "task=keypoint needs a model that finds them.*model=keypoint_rcnn"),
        (["task=instance", "model=keypoint_rcnn"], "model=keypoint_rcnn finds keypoints, for task=keypoint"),
        (
            ["task=instance", "loss=dice"],
            "loss=dice is for task=semantic, .* task=instance: take loss=mask_rcnn or mask_rcnn_dice",
        ),
        (["loss=mask_rcnn"], "loss=mask_rcnn is for task=instance or keypoint, .* take loss=.*cross_entropy.*dice"),
        (["task=instance", "data/weak=clicks"], "data.weak makes masks of clicks"),
        (["task=instance", "transform=objects"], "cuts a map to pieces.*transform=instance"),
        (["task=instance", "model/neck=rfcn"], "model/neck=rfcn has a map of its own .* model=fcis alone reads"),
        (["task=instance", "callback.best.monitor=val/miou"], "never logs it.*val/ap/CLASS"),
    ],
)
def test_maps_and_objects_do_not_mix(words, message):
    with pytest.raises(ValueError, match=message):
        check(plain(cli.compose("train", words)))


def test_keys_of_the_users_own_files_are_checked(tmp_path, monkeypatch, capsys):
    from src import train

    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "mine.yaml").write_text("_target_: src.loss.dice.Dice\nsmoth: 1.0\n")
    (tmp_path / "mine.yaml").write_text("defaults: [train, _self_]\ntrainer: {max_epohcs: 3}\n")
    (tmp_path / "top.yaml").write_text("defaults: [train, _self_]\nsede: 3\n")
    monkeypatch.chdir(tmp_path)
    for words, meant in [(["loss=mine"], "smooth"), (["-cn", "mine"], "max_epochs"), (["-cn", "top"], "seed")]:
        monkeypatch.setattr(sys, "argv", ["train", "--config-dir", str(tmp_path), *words])
        with pytest.raises(SystemExit, match="1"):
            train.main()
        assert f"did you mean '{meant}'" in capsys.readouterr().err


def test_a_saved_config_runs_again_bit_for_bit(run, tmp_path, monkeypatch):
    import torch

    from src import train

    first = run("loss=dice", "trainer.limit_train_batches=2")
    monkeypatch.chdir(tmp_path)
    words = ["--config-dir", str(first), "--config-name", "config", f"hydra.run.dir={tmp_path / 'again'}"]
    monkeypatch.setattr(sys, "argv", ["train", *words])
    train.main()
    states = [
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (first, tmp_path / "again")
    ]
    weights, again = (state["state_dict"] for state in states)
    assert weights.keys() == again.keys()
    assert all(torch.equal(weights[key], again[key]) for key in weights)
    configs = [yaml.safe_load((folder / "config.yaml").read_text()) for folder in (first, tmp_path / "again")]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("rl", "lr"), ("l", "lr"), ("smoth", "smooth"), ("x", None), ("max_epoch", "max_epochs"), ("wieghts", "weights")],
)
def test_the_nearest(wrong, meant):
    assert nearest(wrong, ["lr", "smooth", "max_epochs", "weights", "seed"]) == meant


def test_one_edit_is_one_edit():
    for pair in [("lr", "rl"), ("lr", "l"), ("lr", "lar"), ("lr", "la"), ("", "a"), ("a", "")]:
        assert one_edit(*pair)
    for pair in [("lr", "lr"), ("abc", "cba"), ("ab", "cd"), ("abcd", "ab"), ("abcd", "badc")]:
        assert not one_edit(*pair)
