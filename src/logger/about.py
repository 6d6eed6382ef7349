"""What a logger is told of the run that it logs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_AXES = ("model", "backbone", "decoder", "loss", "data")  # that a name and tags are made of
_FACTS = ("task", *_AXES, "upsample", "weights", "seed", "size", "batch_size", "lr", "precision", "git", "identity")
_PLACES = (
    "data",
    "trainer",
    "callback",
    "logger",
    "sweep",
    "hydra",
)  # overrides that a name need not tell
_LONGEST = 120  # characters of a name


@dataclass(frozen=True)
class About:
    """Names, facts and config of a run, plain; `facts` are those of results.json."""

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)  # as it was resolved
    sweep: str | None = None  # the name of the sweep's folder

    @property
    def name(self) -> str:
        """`unet-resnet18-dice-camvid-s0`, and what else was chosen: `unet-resnet18-dice-camvid-s0-lr=0.01`."""
        known = [self.facts.get(key) for key in ("model", "backbone", "loss", "data")]
        words = [str(value) for value in known if value] + [f"s{self.facts.get('seed', 0)}"]
        if self.facts.get("task") not in (None, "semantic"):
            words.insert(0, str(self.facts["task"]))
        chosen = {key: value for key, value in self.axes.items() if "." in key and not key.startswith(_PLACES)}
        words += [f"{key.rpartition('.')[2]}={value}" for key, value in chosen.items()]
        return "-".join(words)[:_LONGEST]

    @property
    def group(self) -> str:
        """The sweep, else `semantic/camvid`."""
        return self.sweep or "/".join(str(self.facts[key]) for key in ("task", "data") if self.facts.get(key)) or "runs"

    @property
    def tags(self) -> list[str]:
        """The choices that runs are looked up by, each once: task, model, backbone, decoder, loss, data."""
        chosen = [self.facts.get(key) for key in ("task", *_AXES)]
        return list(dict.fromkeys(str(value)[:64] for value in chosen if value))  # W&B takes no longer ones

    @property
    def axes(self) -> dict[str, Any]:
        """Every choice of a config group and every override, flat."""
        return self.facts.get("axes") or {}

    @property
    def plain(self) -> dict[str, Any]:
        """The facts by which runs are compared, then all axes, then the config."""
        facts = {key: self.facts[key] for key in _FACTS if key in self.facts}
        return {**facts, "axes": self.axes, "config": self.config}

    @property
    def flat(self) -> dict[str, bool | int | float | str]:
        """The facts, and the config by dotted keys."""
        facts = {key: value for key, value in self.plain.items() if key not in ("axes", "config")}
        return dict(_flat(facts)) | dict(_flat(self.config, "config."))


def _flat(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | int | float | str]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, bool | int | float | str) else str(value)
