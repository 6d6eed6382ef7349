import signal

import pytest

from src.callback.last import Last
from src.run.storage import Storage

OPTIONS = ["trainer.max_epochs=2", "data.batch_size=2", "model=unet_paper", "model.width=2"]


def test_handlers_are_given_back(run):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(*OPTIONS)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(("minutes", "saves"), [("null", [4, 8]), ("0.0000001", [1, 2, 3, 4, 5, 6, 7, 8])])
def test_saves_after_every_epoch_and_within_it_if_asked_to(run, monkeypatch, minutes, saves):
    steps, original = [], Storage.save_checkpoint

    def noted(self, checkpoint, path, *rest, **options):
        if str(path).endswith("last.ckpt"):
            steps.append(checkpoint["global_step"])
        original(self, checkpoint, path, *rest, **options)

    monkeypatch.setattr(Storage, "save_checkpoint", noted)
    run(*OPTIONS, f"callback.last.every_n_minutes={minutes}")
    assert steps == saves


def test_a_score_that_never_rises_does_not_make_it_old(run, monkeypatch):
    """FAULTS A5."""
    from src.run import checkpoint
    from src.task.semantic import Semantic

    monkeypatch.setattr(Semantic, "named_scores", lambda self, values: {"score": 0.25, "miou": 0.25})
    folder = run(*OPTIONS[1:], "trainer.max_epochs=6", "scheduler=constant")
    assert checkpoint.load(folder / "checkpoints" / "last.ckpt")["epoch"] == 5
    assert checkpoint.load(folder / "checkpoints" / "best.ckpt")["epoch"] == 0


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan")])
def test_minutes_that_are_none_are_refused(minutes):
    with pytest.raises(ValueError, match=r"every_n_minutes=.*: more than 0, or null"):
        Last(minutes)
