"""A command whose runs are shell scripts: `loss` and `lr` decide what becomes of them."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from src.run import resume
from src.run.sweep.command import Command
from src.run.sweep.job import Job

TRAINER = {"accelerator": "cpu", "devices": "auto", "strategy": "auto", "max_epochs": 9}


class Fake(Command):
    """Runs leave score 1 - (lr - 0.5)²; loss=broken fails, loss=wrong cannot work, loss=slow waits for a file `go`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.given, self.launcher = folder, True, None
        self.config = OmegaConf.create({"hydra": {"overrides": {"hydra": []}}})
        self.context = SimpleNamespace(config_loader=None)
        self.made: list[list[str]] = []

    def settled(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def settings(self, number: int, overrides: list[str], varying: list[str]) -> tuple[dict, str]:
        values = said(overrides)
        if values["loss"] == "wrong":
            raise ValueError("loss=wrong: no such choice")
        return {"data": {"root": None}, "trainer": TRAINER, **values}, f"{number}_{values['seed']}"

    def job(self, overrides: list[str], folder: Path, name: str) -> Job:
        self.made.append(overrides)
        values = said([word for word in overrides if not word.startswith(("resume=", "++"))])
        identity = resume.identity(self.settings(0, [f"{key}={value}" for key, value in values.items()], [])[0])
        score = 1 - (float(values["lr"]) - 0.5) ** 2 + int(values["seed"])
        facts = {"status": "finished", "score": score, "params": 10 * float(values["lr"]), "identity": identity}
        script = {
            "broken": "echo 'ValueError: it is broken'; exit 3",
            "slow": "echo x >> started; while [ ! -e ../go ]; do sleep 0.02; done",
            "pruned": "true",
        }.get(values["loss"], "true")
        facts |= {"status": "pruned"} if values["loss"] == "pruned" else {}
        ending = f"{script}; echo '{json.dumps(facts)}' > results.json"
        return Job(["sh", "-c", f"cd {folder} && {ending}"], folder, name)

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def said(self) -> list[str]:
        return ["python", "-m", "src.train"]


def said(words: list[str]) -> dict[str, str]:
    parsed = OverridesParser.create().parse_overrides(words)
    return {"loss": "good", "seed": "0", "lr": "0.1"} | {o.key_or_group: str(o.value()) for o in parsed}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setattr("src.run.sweep.pool._PULSE", 0.01)
    return Fake(tmp_path / "sweep")
