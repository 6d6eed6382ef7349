import shlex
from pathlib import Path

import yaml

from src.leaderboard.command import command
from src.leaderboard.run import Run
from src.run import cli

AXES = {"model": "unet", "loss": "dice", "data.size": "[32, 48]", "data.lengths": '{"train": 8}', "data/weak": "null"}


def test_the_words_are_those_that_were_typed_and_seeds_are_a_sweep(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    words = ["model=unet", "data.root=/my data", "seed=0", "hydra.run.dir=x", "resume=auto", "+data.label_map.sky=sky"]
    (tmp_path / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(words))
    runs = [Run(tmp_path, None, AXES, "0"), Run(tmp_path / "1", None, AXES, "1")]
    said = "python -m src.train -m model=unet 'data.root=/my data' +data.label_map.sky=sky seed=0,1"
    assert command(runs) == said
    assert command(runs[:1]) == said.replace("-m model", "model").replace("0,1", "0")


def test_without_them_the_axes_are_words_that_hydra_takes(tmp_path: Path) -> None:
    words = shlex.split(command([Run(tmp_path, None, AXES, "2")]))
    assert words[:3] == ["python", "-m", "src.train"]
    config = cli.compose("train", words[3:])
    assert (config.seed, config.data.lengths.train, list(config.data.size)) == (2, 8, [32, 48])


def test_a_broken_file_of_words_is_as_none(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    for text in ("{", "a: 1", "[1, 2]"):
        (tmp_path / ".hydra" / "overrides.yaml").write_text(text)
        assert command([Run(tmp_path, None, {"loss": "dice"}, "0")]) == "python -m src.train loss=dice seed=0"
