"""A stranger's checkpoint or config runs nothing (FAULTS E1, E2, and the YAML of E4)."""

import ast
import builtins
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from src.run import checkpoint, cli, plugins
from src.run.build import trusted

SRC = plugins.ROOT / "src"


class Gadget:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def gadgets(marker: Path) -> dict[str, Gadget]:
    touch = f"open({str(marker)!r}, 'w').close()"
    return {
        "os.system": Gadget(os.system, f"touch {marker}"),
        "eval": Gadget(builtins.eval, f"open({str(marker)!r}, 'w').close()"),
        "exec": Gadget(builtins.exec, touch),
        "open": Gadget(builtins.open, str(marker), "w"),
        "subprocess": Gadget(subprocess.call, ["touch", str(marker)]),
        "Popen": Gadget(subprocess.Popen, ["touch", str(marker)]),
        "write_text": Gadget(Path.write_text, marker, "x"),
        "torch.save": Gadget(torch.save, {}, str(marker)),
        "getattr": Gadget(builtins.getattr, Gadget(os.system, f"touch {marker}"), "real"),
        "map": Gadget(list, Gadget(map, os.system, [f"touch {marker}"])),
    }


GADGETS = list(gadgets(Path("marker")))
PLACES = {
    "state_dict": lambda gadget: {"state_dict": {"model.weight": gadget}},
    "optimizer": lambda gadget: {"state_dict": {}, "optimizer_states": [{"state": {0: gadget}}]},
    "callback": lambda gadget: {"state_dict": {}, "callbacks": {"History": {"rows": [gadget]}}},
    "hyper_parameters": lambda gadget: {"state_dict": {}, "hyper_parameters": gadget},
    "config": lambda gadget: {"state_dict": {}, "config": {"model": gadget}, "description": {}},
    "itself": lambda gadget: gadget,
}


def zipped(path: Path, contents: Any) -> None:
    torch.save(contents, path)


def legacy(path: Path, contents: Any) -> None:
    torch.save(contents, path, _use_new_zipfile_serialization=False)


def bare(path: Path, contents: Any) -> None:
    path.write_bytes(pickle.dumps(contents, protocol=2))


def renamed(path: Path, contents: Any) -> None:
    """A zip whose payload lies under names of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("archive/data.pkl", "archive/constants.pkl", "payload.pkl"):
            archive.writestr(name, pickle.dumps(contents, protocol=2))
        archive.writestr("archive/version", "3\n")


def scripted(path: Path, contents: Any) -> None:
    """As `renamed`, and TorchScript by its looks."""
    renamed(path, contents)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/code/__torch__.py", "import os\n")


@pytest.mark.parametrize("written", [zipped, legacy, bare, renamed, scripted])
def test_no_gadget_in_a_checkpoint_runs(tmp_path, written, tally):
    marker = tmp_path / "marker"
    tried, ran = 0, []
    for place, placed in PLACES.items():
        for name, gadget in gadgets(marker).items():
            path = tmp_path / f"{name}.ckpt"
            written(path, placed(gadget))
            with pytest.raises(ValueError, match=name):  # the file is named
                checkpoint.load(path)
            tried += 1
            if marker.exists():
                ran.append((place, name))
                marker.unlink()
    tally(f"pickled calls in a checkpoint, {written.__name__}", tried=tried, failed=len(ran))
    assert not ran


@pytest.mark.parametrize("name", ["os.system", "eval"])
def test_the_gadgets_would_run(tmp_path, name):
    path, marker = tmp_path / "x.ckpt", tmp_path / "marker"
    bare(path, gadgets(marker)[name])
    pickle.loads(path.read_bytes())
    assert marker.exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train", ["resume={}"]),
        ("train", ["init={}"]),
        ("evaluate", ["ckpt={}"]),
        ("predict", ["ckpt={}", "input=images", "output=out"]),
    ],
)
def test_every_command_refuses_it_in_one_line(tmp_path, monkeypatch, capsys, command, words):
    import importlib

    from PIL import Image

    monkeypatch.chdir(tmp_path)
    marker, path = tmp_path / "marker", tmp_path / "x.ckpt"
    zipped(path, PLACES["state_dict"](gadgets(marker)["os.system"]))
    (tmp_path / "images").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "images" / "a.png")
    tiny = ["data.resolution=[32,48]", "data.lengths={train:8,val:4,test:2}", "trainer.accelerator=cpu", "logger=none"]
    own = [*tiny, f"data.cache_folder={tmp_path}/cache", f"hydra.run.dir={tmp_path}/run"] if command == "train" else []
    for address, message in [(str(path), str(path)), ("http://127.0.0.1:9/x.ckpt", "addresses are not opened")]:
        monkeypatch.setattr(sys, "argv", [command, *(word.format(address) for word in words), *own])
        with pytest.raises(SystemExit, match="1"):
            importlib.import_module(f"src.{command}").main()
        error = capsys.readouterr().err
        assert "error: " in error
        assert message in error
        assert "Traceback" not in error
        assert not marker.exists()


def test_an_address_is_no_path():
    for address in ("http://host/x.ckpt", "https://host/x", "s3://bucket/x", "file:///etc/passwd", "hf://a/b"):
        with pytest.raises(ValueError, match="addresses are not opened"):
            cli.path(address)
    assert cli.path("runs/a:b.ckpt").name == "a:b.ckpt"


HOSTILE = [
    "os.system",
    "torch.load",
    "numpy.load",
    "torch.hub.load",
    "torch.hub.load_state_dict_from_url",
    "pathlib.Path.write_text",
    "lightning.LightningModule.load_from_checkpoint",
    "src.task.semantic.Semantic.load_from_checkpoint",
    "builtins.eval",
    "builtins.exec",
    "hydra.utils.instantiate",
    "hydra.utils.call",
    "hydra.utils.get_method",
    "subprocess.Popen",
    "src.run.cli.os.system",
    "src.data.cache.os.remove",
    "src.loss.dice.Dice.__init__",
    "src.loss.dice.nn.Module.load_state_dict",
    "src.train.main",
    "importlib.import_module",
]
WRAPPED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "part": lambda node: {"model": node},
    "nested": lambda node: {"model": {"_target_": "src.model.fcn.Fcn", "_partial_": True, "norm": node}},
    "list": lambda node: {"loss": {"_target_": "src.loss.dice.Dice", "smooth": [[1, {"deep": node}]]}},
    "unused": lambda node: {"callback": {"mine": node}},
    "elsewhere": lambda node: {"nobody": {"knows": node}},
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("target", HOSTILE)
def test_a_hostile_target_is_refused_with_or_without_allow(target, wrapped):
    node = {"_target_": target, "_args_": ["touch marker"]}
    for hostile in (node, {"_target_": target}, {"_target_": target, "_partial_": True, "_recursive_": False}):
        for allow in ([], [target]):
            with pytest.raises(ValueError, match=r"checkpoint's config|allow="):
                trusted(WRAPPED[wrapped](hostile), allow)


@pytest.mark.parametrize(
    "config",
    [
        {"model": {"_target_": ["os.system"]}},
        {"model": {"_target_": "${oc.env:TARGET}"}},
        {"model": "${oc.create:{_target_: os.system, _args_: [id]}}"},
        {"model": {"_target_": "src.loss.dice.Dice", "smooth": "${oc.decode:'{_target_: os.system}'}"}},
        {"loss": {"_target_": "src.loss.dice.Dice", "_args_": ["os.system"]}},
        {"loss": {"_target_": "src.loss.dice.Dice", "_convert_": "object"}},
        {"model": {"_target_": "lightning.Trainer", "default_root_dir": "/tmp"}},
        {"model": {"_target_": "lightning.pytorch.loggers.TensorBoardLogger", "save_dir": "/tmp"}},
        {"loss": {"_target_": "src.data.voc.VOC", "root": "/tmp", "split": "train", "download": True}},
        {"scheduler": {"_target_": "src.callback.progress.progress"}},
        {"model": object()},
        {"model": {"_target_": "src.loss.dice.Dice", "smooth": torch.zeros(1)}},
        ["os.system"],
    ],
    ids=[str(number) for number in range(13)],
)
def test_what_is_no_plain_config_of_ours_is_refused(config):
    with pytest.raises(ValueError, match="checkpoint's config"):
        trusted(config)


def test_loops_and_floods_end():
    loop: dict[str, Any] = {}
    loop["model"] = loop
    flood: list[Any] = [1]
    for _ in range(60):
        flood = [flood, flood]
    for config in (loop, {"model": flood}):
        with pytest.raises(ValueError, match="no config"):
            trusted(config)


def test_every_checkpoint_of_a_run_is_plain_and_trusted(run):
    folder = run()
    files = sorted((folder / "checkpoints").glob("*.ckpt"))
    assert {file.stem for file in files} >= {"best", "last"}
    for file in files:
        contents = torch.load(file, map_location="cpu", weights_only=True)
        trusted(contents["config"])


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loss: !!python/object/apply:os.system ['touch marker']\n", "asks for an object"),
        ("loss: !!python/name:os.system\n", "asks for an object"),
        ("loss: !mine {a: 1}\n", "asks for an object"),
        (BOMB, "unfold"),
        ("a: &a [*a]\n", "contains itself"),
        ("a: " + "[" * 3000 + "]" * 3000 + "\n", "nested"),
        ("a: [1\n", "no YAML"),
        ("a: {b: 1\nc: 2\n", "no YAML"),
    ],
)
def test_a_hostile_yaml_is_refused_by_name(tmp_path, monkeypatch, capsys, text, message):
    from src import train

    monkeypatch.chdir(tmp_path)
    (tmp_path / "stranger.yaml").write_text(text)
    monkeypatch.setattr(sys, "argv", ["train", "--config-dir", str(tmp_path), "--config-name", "stranger"])
    with pytest.raises(SystemExit, match="1"):
        train.main()
    error = capsys.readouterr().err
    assert "stranger.yaml" in error
    assert message in error
    assert not (tmp_path / "marker").exists()


def test_aliases_that_are_meant_are_read(tmp_path):
    from src.run import yaml_file

    (tmp_path / "mine.yaml").write_text("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n")
    yaml_file.check(tmp_path / "mine.yaml")


IMPORTS = {"dill", "joblib", "marshal", "shelve", "cloudpickle"}
CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "pickle.load", "pickle.loads"}


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def faults(tree: ast.AST) -> list[str]:
    """What a syntax tree does that could run somebody else's code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            names += (
                [f"pickle.{a.name}" for a in node.names] if names == ["pickle"] and node.__class__ != ast.Import else []
            )
            found += [name for name in names if name.partition(".")[0] in IMPORTS or name in CALLS]
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name == "pickle.loads" and ast.unparse(node.args[0]).startswith("pickle.dumps("):
                continue  # there and back: nothing of anybody else's
            said = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            if name in CALLS or said.get("shell") is True or said.get("allow_pickle") is True:
                found.append(ast.unparse(node))
            if said.get("weights_only", True) is not True or (name == "torch.load" and "weights_only" not in said):
                found.append(ast.unparse(node))
            if name.endswith(("load_from_checkpoint", "Unpickler")):
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("file", sorted(SRC.rglob("*.py")), ids=lambda file: str(file.relative_to(SRC)))
def test_our_own_code_opens_no_door(file):
    assert faults(ast.parse(file.read_text(encoding="utf8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "trainer.fit(x, weights_only=False)",
        "import joblib",
        "from marshal import loads",
        "from pickle import loads",
        "pickle.loads(x)",
        "eval(x)",
        "os.system(x)",
        "subprocess.run(x, shell=True)",
        "np.load(x, allow_pickle=True)",
        "yaml.load(x)",
        "Model.load_from_checkpoint(x)",
    ],
)
def test_the_look_at_our_code_sees(code):
    assert faults(ast.parse(code))
