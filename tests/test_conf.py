"""The configs mirror the package: every YAML composes, and every `_target_` stands where its folder says."""

import inspect
from pathlib import Path

import hydra.utils
import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.run import plugins
from src.run.build import targets
from src.run.check import check
from src.run.cli import options_of
from src.run.combination.price import options
from src.run.device import resolved

COMMANDS = sorted(file.stem for file in plugins.CONF.glob("*.yaml"))
FILES = sorted(file for file in plugins.CONF.rglob("*.yaml") if file.parent != plugins.CONF)
EXPERIMENTS = sorted(file.stem for file in (plugins.ROOT / "experiments").glob("*.yaml"))
GIVEN = {"data.root": "anywhere", "data.images": "images", "data.masks": "masks", "data.classes": ["a", "b"]}
PLACED = {"model/norm": "model/norm@model.decoder.norm"}  # groups of a part's part
OTHERS = ("instance", "depth", "colorization", "regression", "normals", "joint")  # tasks that are not the default
COMPANIONS = {  # what a choice cannot do without
    "transform=patch": ["model=sliding_window"],
    "transform=copy_paste": ["task=instance"],
    "model/backbone=vit_small": ["model/decoder=fcn32s", "model/head=identity"],
    "model/decoder=fuse": ["model/head=identity"],
    "model/head=identity": ["model/decoder=fcn32s"],
    "loss=joint": ["task=joint"],
    **{f"loss/weighting={name}": ["task=joint"] for name in ("fixed", "uncertainty", "gradient_norm")},
    "model/upsample=max_unpool": ["model/backbone=vgg16_bn"],
    **{
        f"model={file.stem}": ["task=instance"]
        for file in FILES
        if file.stem.startswith(("faster_rcnn", "mask_rcnn", "fcis", "mnc", "sds"))
    },
    **{f"model={name}": ["task=keypoint"] for name in ("keypoint_rcnn", "keypoint_rcnn_resnet50")},
    **{f"loss={name}": [f"task={task}"] for task in OTHERS for name in options(task)},
    **{f"model/neck={name}": ["task=instance"] for name in ("fpn", "fpn_small", "c4", "dc5", "single")},
    "model/neck=rfcn": ["task=instance", "model=fcis", "model.backbone.output_stride=16"],
    **{f"model/roi={name}": ["task=instance"] for name in ("align", "align_max", "aligned", "pool", "warp")},
}
ELSEWHERE = {  # groups of their own for the command line, in the code part of something
    "transform": "src.data.transform",
    "sweep": "src.run.sweep",
    "trainer": "src.run.cluster",
}


def composed(*overrides: str) -> dict:
    plugins.register()
    with initialize_config_dir(str(plugins.CONF), version_base="1.3"):
        config = compose("train", list(overrides))
    for key, value in GIVEN.items():
        if OmegaConf.is_missing(config.data, key.partition(".")[2]):
            OmegaConf.update(config, key, value)
    plain = OmegaConf.to_container(config, resolve=True)
    return plain | {"trainer": resolved(plain["trainer"])}


def choices() -> list[str]:
    found = []
    for file in FILES:
        group = str(file.parent.relative_to(plugins.CONF))
        if not group.startswith("hydra") and not file.stem.startswith("_"):
            option = f"[default,{file.stem}]" if group == "callback" else file.stem
            found.append(f"{PLACED.get(group, group)}={option}")
    return found


@pytest.mark.parametrize("choice", choices())
def test_every_choice_composes_and_says_only_what_its_target_takes(choice):
    check(composed(choice, *COMPANIONS.get(choice, [])))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(plugins.CONF)))
def test_every_target_of_ours_mirrors_its_folder(file: Path):
    group = str(file.parent.relative_to(plugins.CONF)).replace("/", ".")
    if group.startswith("hydra"):  # Hydra has names of its own for its plugins
        return
    for path, node in targets(yaml.safe_load(file.read_text()) or {}):
        hydra.utils.get_object(node["_target_"])
        if node["_target_"].startswith("src."):
            expected = ELSEWHERE.get(group, f"src.{group}")
            assert node["_target_"].startswith(f"{expected}."), f"{path} of {file}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes(command):
    plugins.register()
    with initialize_config_dir(str(plugins.CONF), version_base="1.3"):
        assert compose(command)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes_and_states_its_claim(experiment):
    check(composed(f"experiments={experiment}"))
    header = (plugins.ROOT / "experiments" / f"{experiment}.yaml").read_text()
    for part in ("Question:", "Command:", "Time:", "Result:", "Date:"):
        assert part in header


def test_a_user_finds_every_argument_of_a_loss_in_its_yaml():
    for name in options_of("loss"):
        config = composed(f"loss={name}")["loss"]
        asked = inspect.signature(hydra.utils.get_object(config["_target_"])).parameters.values()
        known = {p.name for p in asked if p.kind is p.POSITIONAL_OR_KEYWORD}  # what comes after * is the program's
        given = set(config) - {"_target_", "_partial_"}
        named = any(p.kind is p.VAR_KEYWORD for p in asked)  # by the user, such as a joint loss's fields
        assert known <= given if named else known == given, name
