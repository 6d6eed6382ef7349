from pathlib import Path

from src.leaderboard.run import found
from tests.leaderboard import sweep


def test_an_option_that_others_were_given_is_told_of_all_that_have_it(tmp_path: Path) -> None:
    sweep.run(tmp_path / "a", 0, 0.5, **{"optimizer.lr": 0.1, "loss.smooth": 1})
    configs = {
        "b": "optimizer: {lr: 0.003}\nloss: {}\n",
        "c": "optimizer: {lr: [1, 2]}\nloss: 3\n",
        "d": "optimizer: {lr: '${data.lr}'}\n",
        "e": "optimizer: {lr: [\n",
    }
    for name, config in configs.items():
        sweep.run(tmp_path / name, 0, 0.4)
        (tmp_path / name / "config.yaml").write_text(config)
    sweep.run(tmp_path / "f", 0, 0.4)
    runs = {run.folder.name: run.axes for run in found(tmp_path)}
    assert {name: axes.get("optimizer.lr") for name, axes in runs.items()} == {
        **{"a": "0.1", "b": "0.003", "c": "[1, 2]"},
        **dict.fromkeys("def"),
    }
    assert [name for name, axes in runs.items() if "loss.smooth" in axes] == ["a"]
