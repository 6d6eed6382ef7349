"""The workspace and the sweep's file, as far as they go without an account."""

import json
import re
import sys

import pytest
import yaml

from src import dashboard
from src.logger import workspace
from src.run import wandb_sweep
from src.run.check import check


def composed(words: list[str]) -> dict:
    from src.run import cli
    from src.run.build import plain

    config = plain(cli.compose("train", words))
    check(config)
    return config


def test_a_workspace_has_the_panels_that_matter(monkeypatch, tmp_path):
    pytest.importorskip("wandb_workspaces")
    for index, loss in enumerate(("dice", "focal")):
        facts = {"loss": loss, "model": "unet", "val": {"iou/road": 0.5, "iou/sky": None}}
        (tmp_path / str(index)).mkdir()
        (tmp_path / str(index) / "results.json").write_text(json.dumps(facts))
    output = tmp_path / "workspace.json"
    words = [f"runs={tmp_path}", f"output={output}", "entity=me", "project=mine", "name=ours"]
    monkeypatch.setattr(sys, "argv", ["dashboard", *words])
    dashboard.main()
    content = json.loads(output.read_text())
    assert (content["entity"], content["project"], content["name"]) == ("me", "mine", "ours")
    sections = content["spec"]["section"]["panelBankConfig"]["sections"]
    panels = {section["name"]: [panel["viewType"] for panel in section["panels"]] for section in sections}
    assert panels["Scores"] == ["Bar Chart", *["Scatter Plot"] * 4]
    assert panels["Axes"] == ["Parallel Coordinates Plot", "Parameter Importance"]
    assert panels["Curves"] == ["Run History Line Plot"] * 4
    assert panels["Classes"] == ["Bar Chart"] * 2 + ["Weave"] * 2 + ["Vega2", "Media Browser"]
    assert panels["Samples"] == ["Media Browser"] * 2
    text = output.read_text()
    for key in ("config:loss", "best/val/iou/road", "best/test/confusion_matrix_table", "val/samples", "run/params"):
        assert key in text


def test_runs_say_which_axes_vary(tmp_path):
    with pytest.raises(ValueError, match="there is no run"):
        workspace.found(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps({"model": "unet", "test": {"iou/sky": 1.0}}))
    assert workspace.found(tmp_path) == (("model",), ("sky",))


def test_saving_without_a_key_says_what_to_do(monkeypatch, tmp_path, capsys):
    wandb = pytest.importorskip("wandb")
    pytest.importorskip("wandb_workspaces")
    wandb.teardown()
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(sys, "argv", ["dashboard"])
    with pytest.raises(SystemExit):
        dashboard.main()
    told = capsys.readouterr().err
    assert "there is no key" in told
    assert "output=FILE.json writes it without one" in told


def test_a_sweeps_file_gives_an_agent_commands_that_run(monkeypatch, tmp_path, capsys):
    """W&B's own functions put values into the command; each is composed and checked."""
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    file = tmp_path / "sweep.yaml"
    words = ["model=unet,fcn", "model/backbone=resnet18", "seed=1", "task.per_image=true,false"]
    monkeypatch.setattr(sys, "argv", ["dashboard", f"sweep_file={file}", "--", *words, "data.resolution=[32,48]"])
    dashboard.main()
    assert "4 jobs" in capsys.readouterr().out
    content = utils.load_sweep_config(str(file))
    assert content["metric"] == {"name": "val/score", "goal": "maximize"}
    parameters = {key: part["values"] for key, part in content["parameters"].items()}
    assert parameters == {"model": ["unet", "fcn"], "task.per_image": [True, False]}
    chosen = {key: {"value": values[-1]} for key, values in parameters.items()}
    known = utils.create_sweep_command_args({"args": chosen}) | {"env": ["/usr/bin/env"]}
    command = utils.create_sweep_command(content["command"])
    line = [word for part in command for word in known.get(part[2:-1] if part.startswith("${") else "", [part])]
    assert line[:4] == ["/usr/bin/env", "python", "-m", "src.train"]
    config = composed(line[4:])
    assert config["logger"]["wandb"]["project"] == "dense-labeling"
    assert (config["seed"], config["task"]["per_image"]) == (1, False)
    assert config["data"]["resolution"] == [32, 48]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=unet"], "no override after -- has several values"),
        (["model=unet,fcm"], "did you mean 'fcn'"),
        (["data.resolution=[1,2],[3,4]"], "data.resolution: a W&B agent passes on plain values alone"),
        (["init=null,a.ckpt"], "init: a W&B agent passes on plain values alone"),
        (["seed=range(0,2)", "loss=dixe"], "did you mean 'dice'"),
        (["optimizer.lr=interval(0,1)"], "say the values one by one"),
        (["task=depth,semantic", "loss=dice"], "loss=dice is for task=semantic"),
        (["seed=0,1", "model=["], "sweep_file: "),
        (["seed=0,1", "+logger.wandb.api_key=canary"], "looks like a key"),
    ],
)
def test_a_sweep_that_is_none_is_refused(words, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        wandb_sweep.text(words, {})
    assert "canary" not in str(caught.value)


def test_overrides_without_a_file_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dashboard", "--", "model=unet,fcn"])
    with pytest.raises(SystemExit):
        dashboard.main()
    assert "say sweep_file=FILE.yaml as well" in capsys.readouterr().err


def test_a_logger_that_was_chosen_stays():
    text, jobs = wandb_sweep.text(["seed=range(0,2)", "logger=wandb"], {"project": "mine"})
    assert jobs == 2
    content = yaml.safe_load(text)
    assert content["command"].count("logger=wandb") == 1
    assert content["project"] == "mine"
    assert content["parameters"] == {"seed": {"values": [0, 1]}}
