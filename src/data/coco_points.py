"""What COCO's categories say of their keypoints (Lin et al., 2014): names, which are left and right, and limbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.data import people

_SIGMA = 0.05  # of a keypoint that nobody measured: between an ear (0.035) and a wrist (0.062) of a person


@dataclass(frozen=True)
class COCOPoints:
    """Of every object of a dataset, as its description has them; nothing where it has none."""

    names: tuple[str, ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()
    sigmas: tuple[float, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, categories: Sequence[Mapping[str, Any]], source: Path) -> "COCOPoints":
        """Those of the categories that have any.

        Flip pairs are the names that differ in "left" and "right" alone. COCO's own 17 keypoints have COCO's sigmas,
        any others 0.05 each.

        Args:
            categories: of the annotation file; `keypoints` are names, `skeleton` pairs of their numbers from 1 on.
            source: that file, which an error names.

        Raises:
            ValueError: categories with different keypoints, two of one name, or a limb that leads to none.
        """
        having = [one for one in categories if one.get("keypoints")]
        if not having:
            return cls()
        first, names = having[0], tuple(str(name) for name in having[0]["keypoints"])
        for other in having[1:]:
            if tuple(map(str, other["keypoints"])) != names:
                said = f"the categories {first['name']!r} and {other['name']!r} have different keypoints"
                raise ValueError(f"{source}: {said}; all objects need the same ones, so split the file in two")
        if len(set(names)) < len(names):
            raise ValueError(f"{source}: the category {first['name']!r} has two keypoints of one name: {list(names)}")
        sigmas = people.SIGMAS if names == people.KEYPOINTS else (_SIGMA,) * len(names)
        limbs = [tuple(limb) for limb in first.get("skeleton") or ()]
        strange = [limb for limb in limbs if len(limb) != 2 or not all(1 <= end <= len(names) for end in limb)]
        if strange:
            raise ValueError(
                f"{source}: the skeleton holds {strange}, where two numbers from 1 to {len(names)} are meant"
            )
        return cls(names, _mirrored(names), sigmas, tuple((start - 1, end - 1) for start, end in limbs))

    def measured(self, sigmas: float | Sequence[float] | None) -> "COCOPoints":
        """The same with other sigmas, one for all or one for each; None leaves those that are known.

        Raises:
            ValueError: another number of them than of keypoints, or one that is not positive.
        """
        if sigmas is None:
            return self
        several = tuple(sigmas) if isinstance(sigmas, Sequence) else (sigmas,) * len(self.names)
        if len(several) != len(self.names) or not all(sigma > 0 for sigma in several):
            said = f"one positive number, or one for each of {len(self.names)} keypoints: {', '.join(self.names)}"
            raise ValueError(f"data.sigmas={sigmas}: {said}")
        return replace(self, sigmas=several)


def _mirrored(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    lower = [name.lower() for name in names]
    partners = {place: name.replace("left", "right") for place, name in enumerate(lower) if "left" in name}
    return tuple((left, lower.index(partner)) for left, partner in partners.items() if partner in lower)
