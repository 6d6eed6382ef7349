"""docs/lecture.md holds: its worked numbers, its commands (on small data), and the files that it names."""

import doctest
import os
import re
import shlex
from pathlib import Path

import pytest

from src.run.plugins import ROOT
from tests import warm
from tests.conftest import trainer
from tests.narrow import MODELS

TEXT = (ROOT / "docs" / "lecture.md").read_text()
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.S) for line in block.splitlines()]
TRAININGS = [line for line in COMMANDS if " -m src.train " in line and "init=" not in line]
OTHERS = [line for line in COMMANDS if line not in TRAININGS]


def small(command: str) -> list[str]:
    """The command's own words, and those that make its network small."""
    words = shlex.split(command)[3:]
    model = next((word.partition("=")[2] for word in words if word.startswith("model=")), "")
    return [*words, *MODELS.get(model, [])]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which other commands find a run, images and masks."""
    root = tmp_path_factory.mktemp("lecture")
    folder = trainer(root)("model=fcn32s", *MODELS["fcn32s"], folder="run")
    from src.data.scenes import Scenes

    for kind in ("images", "masks"):
        (root / kind).mkdir()
    scenes = Scenes("val", resolution=(32, 48), lengths={"train": 1, "val": 2, "test": 1})
    from torchvision.io import write_png

    for index in range(2):
        sample = scenes[index]
        write_png(sample.image, str(root / "images" / f"{index}.png"))
        write_png(sample.mask[None].byte(), str(root / "masks" / f"{index}.png"))
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    return root


def test_the_worked_numbers():
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.S))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "lecture.md", "docs/lecture.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert len(test.examples) > 30


def test_the_files_it_names_are_there():
    named = {*re.findall(r"`((?:tests|experiments|src|conf|docs)/[\w/.]+)`", TEXT)}
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT)}
    missing = [path for path in [*(ROOT / name for name in named), *linked] if not path.exists()]
    assert not missing


def test_the_sections_it_points_to_are_there():
    pointed = re.findall(r"\]\(([^)#:]+)#([^)]+)\)", TEXT)
    assert pointed
    for target, anchor in pointed:
        headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / target).read_text(), re.M)
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings], target


@pytest.mark.parametrize("command", TRAININGS)
def test_a_training_runs(command, run):
    folder = run(*small(command), "data.lengths={train:4,val:2,test:1}", "data.batch_size=2")
    assert (folder / "checkpoints" / "best.ckpt").is_file()


@pytest.mark.parametrize("command", OTHERS)
def test_another_command_runs(command, place):
    if "prediction=predictions" in command and not (place / "predictions").exists():  # made by another process's test
        test_another_command_runs(next(line for line in OTHERS if "output=predictions" in line), place)
    for word, value in {"RUN": "run", "IMAGES": "images", "MASKS": "masks"}.items():
        command = re.sub(rf"(?<![\w-]){word}(?![\w-])", value, command)
    words = [shlex.split(command)[2], *small(command)]
    if "src.train" in command:
        words += ["trainer=smoke", "trainer.accelerator=cpu", "trainer.precision=32-true", "data.batch_size=2"]
        words += ["data.resolution=[32,48]", "data.lengths={train:4,val:2,test:1}", "hydra.run.dir=again"]
    if "src.predict" in command:
        words.append("trainer.accelerator=cpu")
    if "src.doctor" in command:
        words += ["data.resolution=[32,48]", "data.lengths={train:4,val:2,test:1}"]
    environment = os.environ | {"XDG_CACHE_HOME": str(place / "cache")}
    done = warm.run(words, cwd=place, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
