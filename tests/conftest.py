"""What every test shares: no network, few threads, and the small real datasets where they are present."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_MODE", "offline")

import pytest
import torch

torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared() -> Path:
    """The folder of small real datasets beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the small real datasets are not in {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """A command that was run in this process leaves no file open: its folder is gone after the test."""
    before = logging.root.handlers[:]
    yield
    for handler in [handler for handler in logging.root.handlers if handler not in before]:
        logging.root.removeHandler(handler)
        handler.close()


def trainer(root: Path) -> Callable[..., Path]:
    """`trainer(root)(*overrides)`: one training in this process, on eight tiny scenes unless told otherwise."""
    from hydra import compose, initialize_config_dir
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    from src.run import plugins
    from src.train import train

    tiny = ["data.resolution=[32,48]", "data.lengths={train:8,val:4,test:2}"]
    small = [
        "data.batch_size=4",
        f"data.cache_folder={root}/cache",
        "logger=none",
        "callback.pictures.every_n_epochs=99",
    ]
    cheap = ["trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.precision=32-true"]

    def trained(*overrides: str, folder: str = "run") -> Path:
        plugins.register()
        own = any(word.startswith("data=") for word in overrides)
        words = [*([] if own else tiny), *small, *cheap, *overrides, f"hydra.run.dir={root / folder}"]
        with initialize_config_dir(str(plugins.CONF), version_base="1.3"):
            config = compose("train", words, return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        with open_dict(config):
            del config["hydra"]
        try:
            train(config)
        finally:
            HydraConfig.instance().cfg = None
        return root / folder

    return trained


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """`run(*overrides)`: a small training below the test's own folder; the run's folder."""
    return trainer(tmp_path)


@pytest.fixture
def stopped(run: Callable[..., Path], tmp_path: Path) -> Callable[..., tuple[dict, dict]]:
    """`stopped(*overrides)`: a run of two epochs, and one that was stopped after the first and gone on with.

    Both must end alike, and the evaluation of the checkpoint must give the run's own figures; there must be pictures.
    Returns results.json and the weights of the last checkpoint.
    """
    from src.evaluate import evaluate
    from src.run import checkpoint, cli

    def checked(*overrides: str) -> tuple[dict, dict]:
        words = [*overrides, "scheduler=constant"]
        whole = run(*words, "trainer.max_epochs=2", folder="whole")
        run(*words, "trainer.max_epochs=1", folder="part")
        again = run(*words, "trainer.max_epochs=2", "resume=auto", folder="part")
        one, other = (checkpoint.load(path / "checkpoints" / "last.ckpt")["state_dict"] for path in (whole, again))
        assert one.keys() == other.keys()
        assert [name for name in one if not torch.equal(one[name], other[name])] == []
        told = json.loads((whole / "results.json").read_text())
        assert told["status"] == "finished"
        output = tmp_path / "scores.json"
        evaluate(cli.compose("evaluate", [f"ckpt={whole}/checkpoints/best.ckpt", f"output={output}"]))
        found = json.loads(output.read_text())
        known = {name: value for name, value in told["val"].items() if value is not None}
        assert {name: found[name] for name in known} == known
        assert (whole / "pictures" / "val.png").is_file()
        return told, one

    return checked


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`tally("kills", tried=20, failed=0)`: a figure of the fault suite, printed at the end of the run."""

    def note(what: str, tried: int, failed: int, **more: object) -> None:
        record_property("tally", (what, tried, failed, dict(more)))

    return note


def pytest_terminal_summary(terminalreporter) -> None:
    """What the fault suite tried, and how much of it failed."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    calls = [report for report in reports if getattr(report, "when", None) == "call"]
    figures = [value for call in calls for name, value in call.user_properties if name == "tally"]
    if figures:
        terminalreporter.section("faults tried")
    for what, tried, failed, more in figures:
        said = "".join(f", {name.replace('_', ' ')} {value}" for name, value in more.items())
        terminalreporter.line(f"{what}: {tried} tried, {failed} failed{said}")
