"""What a search asks: the same in every process that works on it, and when the same command is given again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from optuna.distributions import distribution_to_json

from src.run import resume
from src.run.sweep.command import Command
from src.run.sweep.search.objective import directions
from src.run.sweep.search.space import Space

ONE = ""  # the seed of a trial that is one run, with the seed that the config says


@dataclass(frozen=True)
class Question:
    """Where to look, for what, and which runs make a trial."""

    space: Space
    constant: list[str]  # overrides of all trials
    objectives: list[str]
    seeds: list[str]  # a run each, or ONE
    pruning: dict[str, Any] | None  # the rules of src.run.sweep.search.study.pruner
    settings: dict[str, Any]  # of a first run

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        directions(self.objectives)
        if not self.seeds:
            raise ValueError("sweep.seeds=[]: name one at least, or say null")
        if self.pruning is None:
            return
        if self.objectives != ["score"]:
            raise ValueError(
                f"sweep.objectives=[{','.join(self.objectives)}] and sweep.pruner={self.pruning['name']}: a run would "
                "be ended by its val/score alone; say sweep.pruner=none"
            )
        epochs, least = self.pruning["epochs"], self.pruning["min_epochs"]
        if epochs is not None and least >= epochs:
            raise ValueError(
                f"sweep.min_epochs={least} of trainer.max_epochs={epochs}: no run could be ended early; say less, or "
                "sweep.pruner=none"
            )

    @property
    def key(self) -> str:
        """In twelve characters; how trials are drawn, and how many, is not part of it."""
        ranges = {key: distribution_to_json(d) for key, d in self.space.distributions.items()}
        root = self.settings["data"].get("root")
        facts = [resume.identity(self.settings), root, ranges, self.objectives, self.seeds, self.pruning]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:12]

    def runs(self, values: Mapping[str, Any]) -> list[tuple[list[str], list[str]]]:
        """The overrides of a trial's runs, and what names each."""
        seeds = [[f"seed={seed}"] if seed != ONE else [] for seed in self.seeds]
        words, names = self.space.words(values), self.space.short(values)
        return [([*self.constant, *words, *seed], [*names, *seed]) for seed in seeds]


def asked(
    command: Command,
    overrides: Sequence[Override],
    parser: OverridesParser,
    space: Mapping[str, Any],
    objectives: Sequence[str],
    seeds: Sequence[int] | None,
    rules: Mapping[str, Any] | None,
    invalid: str,
) -> Question:
    """The question of a command line, every choice of which has been looked at beside the first of all others.

    Args:
        overrides: of the command line.
        parser: of Hydra's words.
        space: of the config; what the command line says once is taken out of it.
        seeds: of the runs of a trial; None for one with the config's seed.
        rules: for ending runs early: name, min_epochs and reduction.
        invalid: skip lets choices pass that cannot work.

    Raises:
        ValueError: there is nothing to search, or something of it cannot work.
    """
    swept, constant = _parted(overrides, seeds)
    found = Space(space, swept, parser, {override.get_key_element() for override in constant})
    if "seed" in found.distributions:
        raise ValueError(
            "seed: a search would choose the luckiest one; sweep.seeds=[0,1,2] takes the median of several, at so many "
            "runs a trial"
        )
    if not found.distributions:
        raise ValueError(
            "sweep=optuna: there is nothing to search; list values, as in optimizer.lr=tag(log,interval(1e-4,1e-1)) "
            "loss=dice,cross_entropy, or fill sweep.space"
        )
    words = [str(override.input_line) for override in constant]
    settings = _looked_at(command, found, words, invalid)
    if rules is not None:
        epochs = None if "trainer.max_epochs" in found.distributions else settings["trainer"]["max_epochs"]
        rules = {**rules, "epochs": epochs if epochs and epochs > 0 else None}
    own = [ONE] if seeds is None else [str(seed) for seed in seeds]
    return Question(found, words, list(objectives), own, rules and dict(rules), settings)


def _parted(overrides: Sequence[Override], seeds: Sequence[int] | None) -> tuple[list[Override], list[Override]]:
    """Those that list values, and those of all runs; what is said of the sweep is in neither."""
    whole = [override for override in overrides if re.split(r"[./]", override.key_or_group)[0] == "sweep"]
    for override in whole:
        if override.is_sweep_override():
            space = "; what is to be searched is said without sweep.space" if "space" in override.key_or_group else ""
            raise ValueError(f"{override.input_line}: is said of the sweep as a whole; give it one value{space}")
    for override in overrides:
        if override.key_or_group == "seed" and seeds is not None:
            raise ValueError(f"{override.input_line} and sweep.seeds={list(seeds)}: say one of them")
    own = [override for override in overrides if override not in whole]
    return [o for o in own if o.is_sweep_override()], [o for o in own if not o.is_sweep_override()]


def _looked_at(command: Command, space: Space, constant: Sequence[str], invalid: str) -> dict[str, Any]:
    """The settings of the first choices that can work."""
    first, refused = None, {}
    for values in space.edges():
        try:
            settings, _ = command.settings(0, [*constant, *space.words(values)], space.short(values))
        except ValueError as error:
            refused.setdefault(str(error), []).append(" ".join(space.short(values)))
            continue
        first = first or settings
    if refused and (invalid == "refuse" or first is None):
        told = "".join(f"\n  {reason}" + "".join(f"\n    {w}" for w in words) for reason, words in refused.items())
        remedy = "" if first is None else "\nNothing was started. sweep.invalid=skip leaves such combinations out"
        raise ValueError(f"choices that cannot work:{told}{remedy}")
    assert first is not None
    return first
