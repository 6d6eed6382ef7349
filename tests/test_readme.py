"""Every command of the README, run as it stands there, on data small enough to wait for."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.run.plugins import ROOT
from tests import warm

README = (ROOT / "README.md").read_text()
BLOCKS = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.S))
COMMANDS = [line.partition(" #")[0].strip() for line in BLOCKS.splitlines() if line.strip()]
SWEEP = [command for command in COMMANDS if " -m src.train -m " in command]
MAIN = "python -m src.train model=unet loss=dice"
SMALL = "trainer=smoke trainer.accelerator=cpu data.batch_size=2 trainer.precision=32-true"
SCENES = "data.resolution=[32,48] data.lengths.train=4 data.lengths.val=2 data.lengths.test=1"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a tiny CamVid, a tiny folder of ships, and room for runs."""
    root = tmp_path_factory.mktemp("readme")
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        lines = []
        for index in range(count):
            image, mask = f"{split}/{index}.png", f"{split}annot/{index}.png"
            for folder in (image, mask):
                (root / "camvid" / folder).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (32, 48, 3), np.uint8)).save(root / "camvid" / image)
            Image.fromarray(random.integers(0, 12, (32, 48), np.uint8)).save(root / "camvid" / mask)
            lines.append(f"{image} {mask}")
        (root / "camvid" / f"{split}.txt").write_text("\n".join(lines))
    for folder in ("images", "masks"):
        (root / "ships" / folder).mkdir(parents=True)
    for index in range(10):
        image, mask = random.integers(0, 255, (32, 48, 3), np.uint8), random.integers(0, 2, (32, 48), np.uint8)
        Image.fromarray(image).save(root / "ships" / "images" / f"{index}.png")
        Image.fromarray(mask).save(root / "ships" / "masks" / f"{index}.png")
    return root


def execute(command: str, place: Path, more: str = "", seconds: int = 280) -> str:
    """The command in `place`, with the README's capital words replaced and `more` behind it."""
    words = {"RUN": "runs/camvid", "IMAGES": "camvid/val", "MASKS": "camvid/valannot"}
    words["PATH"] = "ships" if "data=folder" in command else "camvid"
    for word, value in words.items():
        command = re.sub(rf"(?<![\w-]){word}(?![\w-])", value, command)
    python, m, *words = shlex.split(f"{command} {more}")
    assert (python, m) == ("python", "-m")
    done = warm.run(words, cwd=place, env=os.environ | {"XDG_CACHE_HOME": str(place / "cache")}, timeout=seconds)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def of(part: str) -> str:
    (found,) = (command for command in COMMANDS if part in command and command not in SWEEP)
    return found


def test_the_way_from_files_to_scores(place):
    out = execute(of("data=camvid"), place, f"{SMALL} data.size=[32,48] hydra.run.dir=runs/camvid")
    assert "runs/camvid" in out
    assert "test is not evaluated" in out
    execute(of("src.evaluate"), place, "trainer.accelerator=cpu")
    evaluated = json.loads((place / "scores.json").read_text())
    execute(of("src.predict"), place, "trainer.accelerator=cpu")
    execute(of("src.score"), place)
    scored = json.loads((place / "scores.json").read_text())
    assert scored["miou"] == evaluated["miou"]
    assert scored["accuracy"] == evaluated["accuracy"]
    execute(of("src.report"), place)
    assert "camvid" in (place / "report" / "index.html").read_text()


def test_a_folder_of_ones_own(place):
    execute(of("src.train data=folder"), place, f"{SMALL} data.size=[32,48] hydra.run.dir=runs/ships")


def test_what_is_wrong_with_a_dataset(place):
    assert "ship" in execute(of("src.doctor"), place)


def test_what_a_model_is(place):
    assert json.loads(execute(of("src.profile"), place))["params"] == 251_805_653


def test_what_it_costs(place):
    execute(of("src.benchmark"), place, "smoke=true")
    assert json.loads((place / "benchmark.json").read_text())["rows"]


def test_the_main_job(place):
    execute(MAIN, place, f"{SMALL} {SCENES}")


def test_objects(place):
    out = execute(of("task=instance"), place, f"{SMALL} {SCENES} model.box.width=16")
    assert "ap50" in out


@pytest.mark.parametrize(("task", "score"), [("task=depth", "delta1"), ("task=joint", "normals/mean_angle")])
def test_other_fields(place, task, score):
    assert score in execute(of(task), place, f"{SMALL} {SCENES}")


def test_make_train_is_the_main_job():
    line = subprocess.run(["make", "-n", "train"], cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
    assert f"-m {MAIN.removeprefix('python -m ')}" in line


@pytest.mark.long
def test_the_sweep(place):
    (command,) = (command for command in SWEEP if "sweep=optuna" not in command)
    out = execute(command, place, f"{SMALL} {SCENES} hydra.sweep.dir=runs/sweep", seconds=1800)
    assert "[8/8]" in out
    assert len(list((place / "runs" / "sweep").glob("*/results.json"))) == 8


@pytest.mark.long
def test_the_search(place):
    (command,) = (command for command in SWEEP if "sweep=optuna" in command)
    more = f"{SMALL} {SCENES} sweep.trials=2 hydra.sweep.dir=runs/search"
    execute(command, place, more, seconds=600)
    assert len(list((place / "runs" / "search").glob("*/results.json"))) == 2


def test_every_command_is_run_here():
    parts = ("data=camvid", "src.evaluate", "src.predict", "src.score", "src.report", "src.train data=folder")
    parts += ("src.doctor", "src.profile", "src.benchmark", "task=instance", "task=depth", "task=joint")
    assert set(COMMANDS) == {*map(of, parts), *SWEEP, MAIN, "make train", "make test"}
