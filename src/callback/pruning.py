"""Ends a run of a search whose score is behind that of others."""

from pathlib import Path

import lightning as L

from src.callback.figures import figures


class Pruning(L.Callback):
    """Tells a study of val/score after each evaluation, and ends the run when the study gives the trial up.

    The first rank asks, the others do as it says. A trial that is over is not told anything: its run may be made again.
    """

    def __init__(self, journal: str | None = None, study: str | None = None, trial: int | None = None) -> None:
        """See above.

        Args:
            journal: the file of the study, see `src.run.sweep.search.study`.
            study: its name.
            trial: number of the trial, from 0.
        """
        if journal is None or study is None or trial is None:
            raise ValueError(
                "callback.pruning: nothing searches here, so nothing can be pruned; `-m sweep=optuna "
                "sweep.pruner=hyperband` adds this callback to its runs by itself"
            )
        self._journal, self._name, self._number = Path(journal), study, trial
        self.pruned = False

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        score = figures(trainer).get("val/score")
        if score is None:  # nothing was evaluated after this epoch
            return
        epochs = trainer.current_epoch + 1
        behind = trainer.is_global_zero and self._behind(epochs, float(score), epochs == trainer.max_epochs)
        if trainer.strategy.broadcast(behind):
            self.pruned = trainer.should_stop = True

    def _behind(self, epochs: int, score: float, last: bool) -> bool:
        """Note a score; whether the run is to end before its time."""
        from src.run.sweep.search.study import opened  # optuna is an extra

        trial = opened(self._journal, self._name, self._number)
        if trial is None or score != score:  # a NaN says nothing, and ends nothing
            return False
        trial.report(score, epochs)
        if last or not trial.should_prune():
            return False
        print(f"pruned after epoch {epochs}: val/score {score:.4f} is behind that of other trials", flush=True)
        return True
