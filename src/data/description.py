"""What a dataset says of itself, from its config or index files alone; the only source of these facts."""

from dataclasses import asdict, dataclass
from typing import Any

UNKNOWN = 255  # the class index of a pixel that nobody labelled; a fact of this project, whatever the file held
UNSEEN = -100  # the cell of a keypoint that is not labelled or outside its region; cross entropy ignores it unasked


@dataclass(frozen=True)
class Description:
    """Facts about a dataset that models, losses, metrics and pictures are built from."""

    fields: tuple[str, ...]  # of a Sample: "image", "mask", "depth" ...
    classes: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()  # sRGB per class
    things: tuple[str, ...] | None = None  # the classes that are countable; None where the dataset does not say
    channels: int = 3
    value_range: tuple[float, float] = (0.0, 255.0)  # what black and white are in the image's own values
    multilabel: bool = False  # masks overlap: a Sample's mask is [k h w] of 0, 1, 255
    keypoints: tuple[str, ...] = ()  # of every object, in this order
    flip_pairs: tuple[tuple[int, int], ...] = ()  # of keypoints that a mirror exchanges, left and right
    sigmas: tuple[float, ...] = ()  # of each keypoint, how far annotators differ relative to the object's size (OKS)
    skeleton: tuple[tuple[int, int], ...] = ()  # keypoints between which a limb is drawn

    def __post_init__(self) -> None:
        if len(self.colors) != len(self.classes):
            raise ValueError(f"{len(self.classes)} classes need as many colors, not {len(self.colors)}")
        if len(self.classes) > UNKNOWN:
            raise ValueError(f"{len(self.classes)} classes: at most {UNKNOWN} fit beside 255, the unknown one")
        strangers = set(self.things or ()) - set(self.classes)
        if strangers:
            raise ValueError(f"things {sorted(strangers)} are not among the classes {list(self.classes)}")
        if self.keypoints and len(self.sigmas) != len(self.keypoints):
            raise ValueError(f"{len(self.keypoints)} keypoints need as many sigmas, not {len(self.sigmas)}")
        pairs = [*self.flip_pairs, *self.skeleton]
        if any(not 0 <= index < len(self.keypoints) for pair in pairs for index in pair):
            raise ValueError(
                f"flip_pairs and skeleton name keypoints by number, 0 to {len(self.keypoints) - 1}: {pairs}"
            )
        low, high = self.value_range
        if not low < high:
            raise ValueError(f"value_range {self.value_range} is empty: the first must be below the second")

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def countable(self) -> tuple[int, ...]:
        """Indices of the classes whose objects can be told apart."""
        return tuple(index for index, name in enumerate(self.classes) if name in (self.things or ()))

    def plain(self) -> dict[str, Any]:
        """Plain containers, for a checkpoint."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Description":
        """The description that `plain` came from, whatever lists became of its tuples."""
        return cls(**{key: _tuples(value) for key, value in plain.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
