"""What an examination found, as plain containers for a file and for a table."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from src.data.description import Description
from src.data.fault import Fault
from src.run.diagnosis.geometry import metres
from src.run.diagnosis.geometry import remarks as of_geometry
from src.run.diagnosis.measure import Measure
from src.run.diagnosis.names import named
from src.run.diagnosis.objects import oddities, summed

_TAIL = 0.01  # share of a split's known pixels below which a class belongs to the tail


@dataclass
class Findings:
    """Of all splits of a dataset; `faults` must be mended, `remarks` may be meant."""

    description: Description | None = None
    measures: dict[str, list[Measure]] = field(default_factory=dict)  # of the usable samples of each split
    faults: list[dict[str, str]] = field(default_factory=list)  # split, sample and reason
    absent: dict[str, str] = field(default_factory=dict)  # splits that are not there, and why
    samples: dict[str, int] = field(default_factory=dict)  # of each split, usable or not
    files: set[str] = field(default_factory=set)  # that were read

    def fault(self, split: str, fault: Fault | str) -> None:
        """Note a fault, unless it was noted before: what is wrong with a folder shows in each of its splits."""
        found = fault if isinstance(fault, Fault) else Fault("", fault)
        if all(found.reason != other["reason"] for other in self._of_no_sample(found)):
            self.faults.append({"split": split, "sample": found.name, "reason": found.reason})

    def _of_no_sample(self, fault: Fault) -> list[dict[str, str]]:
        return [] if fault.name else [other for other in self.faults if not other["sample"]]

    def summary(self, split: str) -> dict[str, Any]:
        """Sizes, types, classes and unknown parts of the split's usable samples."""
        measures = self.measures[split]
        heights, widths = zip(*(measure.size for measure in measures), strict=True) if measures else ((), ())
        fields = measures[0].unknown if measures else {}
        area = [height * width for height, width in zip(heights, widths, strict=True)]
        unknown = {name: _mean([measure.unknown[name] for measure in measures], area) for name in fields}
        return {
            "samples": self.samples[split],
            "usable": len(measures),
            "height": _spread(heights),
            "width": _spread(widths),
            "sizes": len({measure.size for measure in measures}),
            "images": dict(Counter(measure.kind for measure in measures).most_common()),
            "unknown": unknown,
            "metres": metres(measures),
            "classes": (classes := self._classes(measures)),
            "tail": _tail(classes),
            "objects": self._objects(measures),
        }

    def _classes(self, measures: Sequence[Measure]) -> dict[str, dict[str, int | float]]:
        mapped = self.description and "mask" in self.description.fields  # without one, pixels are of no class
        names = self.description.classes if mapped else ()
        pixels = [sum(measure.pixels[index] for measure in measures) for index in range(len(names))]
        images = [sum(measure.pixels[index] > 0 for measure in measures) for index in range(len(names))]
        total = sum(pixels)
        return {
            name: {"pixels": count, "share": count / total if total else 0.0, "images": present}
            for name, count, present in zip(names, pixels, images, strict=True)
        }

    def _objects(self, measures: Sequence[Measure]) -> dict[str, Any] | None:
        counted = [measure.objects for measure in measures if measure.objects is not None]
        return summed(counted, self.description) if self.description else None

    def remarks(self, rare: float | int, batch_size: int) -> list[str]:
        """What may be meant, but changes what a training can learn or a score can say.

        Args:
            rare: share of a split's known pixels below which a class is pointed out.
            batch_size: of the training.
        """
        found = [f"{split} is not there: {why}" for split, why in self.absent.items()]
        if 0 < self.samples.get("train", 0) < batch_size:
            few = f"train has {self.samples['train']} samples, fewer than data.batch_size={batch_size}"
            found.append(f"{few}: no batch could be made")
        for split in self.measures:
            found += _of_classes(split, self.summary(split)["classes"], rare)
            blank = [measure.name for measure in self.measures[split] if measure.unknown.get("mask") == 1]
            if blank:
                found.append(f"{split}: nothing is labelled in {named(blank)}")
            found += of_geometry(split, self.measures[split])
            found += [
                f"{split}: {said}"
                for measure in self.measures[split]
                if measure.objects
                for said in oddities(measure.name, measure.objects)
            ]
        return found + self._duplicates()

    def _duplicates(self) -> list[str]:
        places = defaultdict(list)
        for split, measures in self.measures.items():
            for measure in measures:
                places[measure.digest].append((split, measure.name))
        several = [group for group in places.values() if len(group) > 1]
        leaks = [group for group in several if len({split for split, _ in group}) > 1]
        return [
            f"{said}: {' = '.join(f'{name} ({split})' for split, name in group)}"
            for groups, said in (
                (leaks, "one picture in two splits, so that scores are too good"),
                ([group for group in several if group not in leaks], "one picture twice"),
            )
            for group in groups
        ]


def plain(findings: Findings, rare: float | int, batch_size: int) -> dict[str, Any]:
    """All of it as plain containers."""
    return {
        "splits": {split: findings.summary(split) for split in findings.measures},
        "absent": findings.absent,
        "faults": findings.faults,
        "remarks": findings.remarks(rare, batch_size),
    }


def _tail(classes: Mapping[str, Mapping[str, int | float]]) -> dict[str, Any] | None:
    """How uneven the classes are that a split shows; None where it shows fewer than two."""
    shown = sorted((facts["share"], name) for name, facts in classes.items() if facts["pixels"])
    if len(shown) < 2:
        return None
    rare = [share for share, _ in shown if share < _TAIL]
    (least, last), (most, first) = shown[0], shown[-1]
    return {"classes": len(rare), "share": sum(rare), "most": first, "least": last, "ratio": most / least}


def _of_classes(split: str, classes: Mapping[str, Mapping[str, int | float]], rare: float) -> list[str]:
    """Classes that a split lacks, or shows so little of that they are hardly learned."""
    missing = [name for name, facts in classes.items() if not facts["pixels"]]
    seldom = [
        f"{name} ({facts['share']:.2%} of the pixels, {facts['images']} images)"
        for name, facts in classes.items()
        if 0 < facts["share"] < rare
    ]
    said = [f"{split} has no pixel of {named(missing)}"] if missing and len(missing) < len(classes) else []
    return said + ([f"{split} has little of {named(seldom)}"] if seldom and split == "train" else [])


def _spread(values: Sequence[int]) -> dict[str, int | float] | None:
    if not values:
        return None
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def _mean(values: Sequence[int | float], weights: Sequence[int]) -> int | float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
