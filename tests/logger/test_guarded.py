"""A logger that fails is left out; our own mistakes are not its failures."""

import pytest
from lightning.pytorch.loggers import CSVLogger, Logger

from src.logger.guarded import Guarded, reason
from src.logger.interface import Outcome


class Failing(Logger):
    """Works until the second figure."""

    name, version = "failing", "v7"

    def __init__(self, act) -> None:
        super().__init__()
        self.act, self.seen, self.ended = act, [], None

    def log_metrics(self, metrics, step=None):
        self.seen.append(metrics)
        if len(self.seen) == 2:
            self.act()

    def log_hyperparams(self, params, *args, **kwargs):
        self.config = params

    def finalize(self, status):
        self.ended = status


def lost():
    raise ConnectionError("http://me:canary@host:1 has gone\nand more of it")


def test_a_failure_is_told_once_and_the_rest_left_out(capsys):
    logger = Guarded("mine", Failing(lost))
    logger.start({"a": 1})
    for step in (3, 4, 5):
        logger.log_metrics({"x": 1.0}, step)
    logger.conclude(Outcome({"best/val/score": 1.0}, {}, 5))
    logger.end("finished")
    assert logger.inner.config == {"a": 1}
    assert len(logger.inner.seen) == 2
    assert logger.inner.ended is None
    assert logger.trouble == "left out after step 4: http://***@host:1 has gone"
    assert capsys.readouterr().out == f"mine: {logger.trouble}. The run folder has everything\n"
    assert logger.version == "v7"  # what a checkpoint needs to go on with the same run


def test_our_own_mistake_ends_the_run(monkeypatch):
    monkeypatch.setattr("src.logger.guarded._OURS", __file__)
    logger = Guarded("mine", Failing(lost))
    logger.log_metrics({"x": 1.0}, 1)
    with pytest.raises(ConnectionError):
        logger.log_metrics({"x": 1.0}, 2)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_failure(interruption):
    def interrupted():
        raise interruption

    logger = Guarded("mine", Failing(interrupted))
    logger.log_metrics({"x": 1.0}, 1)
    with pytest.raises(interruption):
        logger.log_metrics({"x": 1.0}, 2)
    assert logger.trouble is None


def test_somebody_elses_logger_gets_the_final_figures(tmp_path):
    logger = Guarded("csv", CSVLogger(tmp_path, name=None, version=""))
    logger.start({"loss": {"smooth": 1}})
    logger.log_metrics({"val/score": 0.25}, 3)
    logger.conclude(Outcome({"best/val/score": 0.5}, {}, 3))
    logger.end("finished")
    written = (tmp_path / "metrics.csv").read_text()
    assert "best/val/score" in written
    assert "0.5" in written
    assert "smooth" in (tmp_path / "hparams.yaml").read_text()


def test_other_processes_log_nothing(monkeypatch):
    monkeypatch.setattr("src.logger.guarded.rank_zero_only.rank", 1)
    logger = Guarded("mine", Failing(lost))
    logger.log_metrics({"x": 1.0}, 1)
    assert logger.inner.seen == []


def test_a_reason_is_one_short_line_without_secrets(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "canary-canary")
    assert reason(ValueError("no key canary-canary at x://u:p@h\nmore")) == "no key *** at x://***@h"
    assert reason(RuntimeError()) == "RuntimeError"
    assert len(reason(ValueError("x" * 1000))) == 300
