"""Weights & Biases: figures, tables and pictures of a run on its server, or in files until there is one."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from lightning.pytorch.loggers import Logger
from PIL import Image

from src.logger import media
from src.logger.about import About
from src.logger.direction import better
from src.logger.guarded import reason
from src.logger.interface import Look, Outcome

_STEP = "trainer/global_step"
_CODE = ("src", "conf", "experiments")
_SCALARS = (bool, int, float, str)
_CODES = {"finished": 0, "pruned": 0}  # exit codes of runs that ended well; W&B calls the others failed


class Wandb(Logger):
    """One run per job. Where the server does not answer, the run is logged offline, and a line says how to sync it."""

    def __init__(
        self,
        project: str = "dense-labeling",
        entity: str | None = None,
        name: str | None = None,
        group: str | None = None,
        job_type: str = "train",
        tags: Sequence[str] = (),
        notes: str | None = None,
        offline: bool = False,
        log_model: bool = False,
        save_code: bool = False,
        start_seconds: float | int = 15,
        end_seconds: float | int = 30,
        *,
        about: About,
        version: str | None,
    ) -> None:
        """Nothing is begun yet, see `start`.

        Args:
            project, entity, notes, job_type: as W&B has them.
            name: of the run; None: from its axes.
            group: None: the sweep, or task and dataset.
            tags: beside those that name task, model, backbone, decoder, loss and data.
            offline: write files alone, for `wandb sync`.
            log_model: upload the best and the last checkpoint at the end.
            save_code: upload this project's source and configs.
            start_seconds: how long the server may take to answer at the start.
            end_seconds: how long the last uploads may take.
            about: the run.
            version: the id of the run that this one continues, if it does.
        """
        super().__init__()
        _check_address()
        self._about, self._offline, self._continues = about, offline, version is not None
        self._id = version or os.environ.get("WANDB_RUN_ID") or token_hex(4)  # an agent of a sweep has given one
        self._log_model, self._save_code = log_model, save_code
        self._seconds = (start_seconds, end_seconds)
        self._known: set[str] = set()  # figures whose direction W&B has been told
        self._run: Any = None
        self._named = {
            "project": project,
            "entity": entity,
            "name": name or about.name,
            "group": group or about.group,
            "job_type": job_type,
            "tags": [*about.tags, *tags],
            "notes": notes,
        }

    def start(self) -> str | None:
        """Begin online, or offline where that does not work; a sentence that says where."""
        import wandb

        trouble, before = None, self._folders()
        try:
            self._begin("offline" if self._offline else None)
        except Exception as error:  # of the library, the network, the server or the key
            trouble = reason(error)
            wandb.teardown()  # its service still holds the run's id
            for attempt in self._folders() - before:
                shutil.rmtree(attempt, ignore_errors=True)
            self._begin("offline")
        self._run.config.update(self._about.plain, allow_val_change=True)
        self._run.define_metric(_STEP)
        self._run.define_metric("*", step_metric=_STEP)
        if self._save_code:
            root, project = Path(__file__).resolve().parents[2], self._named["project"]
            self._run.log_code(str(root), name=f"code-{project}", include_fn=_is_code)
        if trouble:
            return f"logging offline, because the server cannot be used ({trouble}). {self.remedy}"
        return f"offline. {self.remedy}" if self._run.settings.mode == "offline" else self._run.url

    def _begin(self, mode: str | None) -> None:
        import wandb

        settings = wandb.Settings(
            init_timeout=self._seconds[0],
            finish_timeout=self._seconds[1],
            finish_timeout_raises=True,
            silent=True,
            program="src/train.py",
        )
        self._about.folder.mkdir(parents=True, exist_ok=True)
        # What the library reports of its own errors goes to the same server, and waits for it when the program ends.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        with _unasked():
            self._run = wandb.init(
                **self._named,
                dir=str(self._about.folder),
                id=self._id,
                resume="allow" if self._continues else None,
                mode=mode,
                reinit="create_new",
                settings=settings,
            )

    def _folders(self) -> set[Path]:
        return set((self._about.folder / "wandb").glob(f"run-*-{self._id}"))

    @property
    def remedy(self) -> str | None:
        """What brings to the server what is not there yet."""
        if self._run is None:
            return None
        flag = "" if self._run.settings.mode == "offline" else "--include-online "
        return f"Later: wandb sync {flag}{shlex.quote(str(Path(self._run.dir).parent))}"

    @property
    def name(self) -> str:
        return self._named["project"]

    @property
    def version(self) -> str | None:
        """The run's id, by which it goes on after a resume."""
        return self._id

    @property
    def experiment(self) -> Any:
        """W&B's own run."""
        return self._run

    def log_hyperparams(self, params: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        self._run.config.update(params, allow_val_change=True)

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        for key in metrics.keys() - self._known:
            self._run.define_metric(key, step_metric=_STEP, summary=better(key))
            self._known.add(key)
        self._run.log(metrics if step is None else {**metrics, _STEP: step})

    def show(self, key: str, sheet: Image.Image, looks: Sequence[Look], classes: Sequence[str], step: int) -> None:
        """The sheet under `key`, and `val/samples`: images with masks and boxes to switch on and off."""
        import wandb

        content: dict[str, Any] = {key: wandb.Image(sheet), _STEP: step}
        switched = [media.image(look, classes) for look in looks if look.maps or look.objects]
        if switched:
            content[f"{key.rpartition('/')[0]}/samples"] = switched
        self._run.log(content)

    def conclude(self, outcome: Outcome) -> None:
        """Figures of the best checkpoint into the summary, classes and confusions as tables, checkpoints if asked."""
        import wandb

        facts = {key: value for key, value in outcome.facts.items() if isinstance(value, _SCALARS)}
        self._run.summary.update(outcome.figures | {f"run/{key}": value for key, value in facts.items()})
        tables = {key: media.table(table) for key, table in outcome.tables.items()}
        pictures = {key: wandb.Image(picture) for key, picture in outcome.pictures.items()}
        charts = {f"{key}_matrix": media.matrix(table) for key, table in outcome.confusions.items()}
        if content := tables | pictures | charts:
            self._run.log(content)
        for alias, path in outcome.checkpoints.items() if self._log_model else ():
            artifact = wandb.Artifact(f"model-{self._id}", type="model", metadata=facts | outcome.figures)
            artifact.add_file(str(path), name="model.ckpt", policy="immutable")  # the file itself, not a copy of it
            self._run.log_artifact(artifact, aliases=[alias])

    def end(self, status: str) -> None:
        """Finish, whatever happened; the library's TimeoutError says that the last uploads took too long."""
        if self._run is not None:
            self._run.summary["run/status"] = status
            self._run.finish(exit_code=_CODES.get(status, 1))


@contextmanager
def _unasked() -> Iterator[None]:
    """Nobody is asked for a key: a training that waits for an answer is no training."""
    before = sys.stdin
    with open(os.devnull) as sys.stdin:  # noqa: PTH123
        try:
            yield
        finally:
            sys.stdin = before


def _check_address() -> None:
    address = os.environ.get("WANDB_BASE_URL", "")
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise ValueError(
            "WANDB_BASE_URL: holds a user name or password, and W&B writes the address into its files. Give the plain "
            "address; the key belongs into WANDB_API_KEY"
        )


def _is_code(path: str, root: str) -> bool:
    place = Path(path).relative_to(root)
    return place.parts[0] in _CODE and place.suffix in (".py", ".yaml", ".csv")
