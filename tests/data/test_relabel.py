import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.interface import Dataset
from src.data.relabel import Relabel
from src.data.sample import Instances, Sample
from src.data.scenes import Scenes

ROADS = ("road", "pavement", "car", "van", "sky")
COLORS = tuple((10 * index, 0, 0) for index in range(5))


class Roads:
    """One picture that holds every class, and what nobody knows."""

    multilabel = False

    def describe(self) -> Description:
        return Description(("image", "mask"), ROADS, COLORS, things=("car", "van"), multilabel=self.multilabel)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        mask = tv_tensors.Mask(torch.tensor([[0, 1, 2, 3, 4, 255]], dtype=torch.uint8))
        objects = Instances(
            boxes=tv_tensors.BoundingBoxes(
                [[2, 0, 3, 1], [3, 0, 4, 1]], format="XYXY", canvas_size=(1, 6), dtype=torch.float32
            ),
            labels=torch.tensor([2, 3]),
            masks=tv_tensors.Mask(torch.stack([mask[0:1] == 2, mask[0:1] == 3])),
        )
        return Sample(torch.zeros(3, 1, 6, dtype=torch.uint8), mask, instances=objects, name="a", size=(1, 6))

    def name(self, index: int) -> str:
        return "a"

    def size(self, index: int) -> tuple[int, int]:
        return 1, 6

    def files(self, index: int) -> tuple[str, ...]:
        return ("a.png",)


def read(*options: object) -> tuple[Description, list[int]]:
    dataset = Relabel(Roads(), *options)
    return dataset.describe(), dataset[0].mask[0].tolist()


def test_it_merges_drops_and_renames() -> None:
    label_map = {"pavement": "road", "van": "vehicle", "car": "vehicle", "sky": None}
    description, mask = read(label_map)
    assert description.classes == ("road", "vehicle")
    assert mask == [0, 0, 1, 1, 255, 255]
    assert description.things == ("vehicle",)
    assert description.colors == (COLORS[0], COLORS[2])


def test_unlisted_classes_stay_or_become_one_or_unknown() -> None:
    assert read({"car": "auto"})[0].classes == ("road", "pavement", "auto", "van", "sky")
    description, mask = read({"car": "car", "road": "road"}, "class")
    assert (description.classes, mask) == (("road", "other", "car"), [0, 1, 2, 1, 1, 255])
    assert description.things == ("car",)
    description, mask = read({"car": "car", "road": "road", "sky": None}, "unknown")
    assert (description.classes, mask) == (("road", "car"), [0, 255, 1, 255, 255, 255])


def test_a_thing_merged_with_stuff_is_stuff() -> None:
    assert read({"car": "road"})[0].things == ("van",)


def test_objects_follow() -> None:
    objects = Relabel(Roads(), {"van": "vehicle", "car": None, "sky": None})[0].instances
    assert objects.labels.tolist() == [2]
    assert objects.boxes.tolist() == [[3, 0, 4, 1]]
    assert isinstance(objects.boxes, tv_tensors.BoundingBoxes)
    assert objects.masks.shape == (1, 1, 6)


def test_the_rest_is_passed_on() -> None:
    dataset = Relabel(Roads(), {"car": "auto"})
    assert isinstance(dataset, Dataset)
    assert (len(dataset), dataset.name(0), dataset.size(0), dataset.files(0)) == (1, "a", (1, 6), ("a.png",))
    assert isinstance(dataset[0].mask, tv_tensors.Mask)
    scenes = Scenes("train", (24, 32), {"train": 1})
    assert torch.equal(Relabel(scenes, {"sky": None})[0].depth, scenes[0].depth)


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"data\.label_map names \['raod'\]; the classes are \['road'"):
        read({"raod": "street"})
    with pytest.raises(ValueError, match="drops every class"):
        read({"car": None}, "unknown")
    overlapping = Roads()
    overlapping.multilabel = True
    with pytest.raises(ValueError, match="for one class per pixel"):
        Relabel(overlapping, {"car": "auto"})
