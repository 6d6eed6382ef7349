"""Objects drawn over their image, pixel by pixel."""

from dataclasses import replace

import pytest
import torch

from src.data.description import Description
from src.data.drawing import drawn
from src.data.sample import Instances

NAN, INF = float("nan"), float("inf")
GREEN, RED, YELLOW = (70, 220, 90), (255, 90, 70), (255, 220, 60)
KEYPOINTS = ("nose", "left_hand", "right_hand")
DESCRIPTION = Description(
    fields=("image", "instances"),
    classes=("sky", "person", "dog"),
    colors=((0, 0, 0), (9, 9, 9), (8, 8, 8)),
    things=("person", "dog"),
    keypoints=KEYPOINTS,
    flip_pairs=((1, 2),),
    sigmas=(0.1, 0.1, 0.1),
    skeleton=((0, 1), (0, 2), (1, 2)),
)
GREY = torch.full((3, 60, 80), 100, dtype=torch.uint8)


def objects(boxes: list[list[float]], **more: object) -> Instances:
    return Instances(
        boxes=torch.tensor(boxes).float().reshape(-1, 4), labels=torch.ones(len(boxes), dtype=torch.int64), **more
    )


def filled(box: list[int]) -> torch.Tensor:
    mask = torch.zeros(60, 80, dtype=torch.bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def changed(picture: torch.Tensor) -> torch.Tensor:
    return (picture != GREY).any(0)


def test_no_objects_leave_the_image_as_it_is() -> None:
    assert torch.equal(drawn(GREY, objects([]), DESCRIPTION), GREY)


def test_a_box_is_drawn_on_its_first_and_last_pixels_and_the_image_itself_is_left() -> None:
    picture = drawn(GREY, objects([[2, 3, 8, 9]]), DESCRIPTION)
    assert torch.equal(changed(picture), filled([2, 3, 8, 9]) & ~filled([3, 4, 7, 8]))
    assert (GREY == 100).all()


@pytest.mark.parametrize("place", [10, 0])
def test_a_mask_is_translucent_within_an_outline_of_its_own_colour(place: int) -> None:
    """At the image's edge too; the box is elsewhere."""
    mask = filled([place, place, place + 10, place + 10])
    picture = drawn(GREY, objects([[70, 50, 72, 52]], masks=mask[None]), DESCRIPTION)
    assert torch.equal(changed(picture)[:40], mask[:40])
    outline, inside = picture[:, place, place + 5].float(), picture[:, place + 5, place + 5].float()
    assert torch.equal(outline, picture[:, 50, 70].float())
    assert torch.allclose(inside, 100 + 0.45 * (outline - 100), atol=0.5)


def test_objects_have_different_colours_and_crowds_are_grey() -> None:
    boxes = [[2.0, 2, 8, 8], [20, 2, 26, 8], [40, 2, 46, 8]]
    picture = drawn(GREY, objects(boxes, crowd=torch.tensor([False, False, True])), DESCRIPTION)
    first, second, third = (tuple(picture[:, 2, x].tolist()) for x in (2, 20, 40))
    assert len({first, second, third}) == 3
    assert len(set(third)) == 1


@pytest.mark.parametrize("scores", [None, [0.2, 0.9]])
def test_the_best_scored_or_the_smaller_object_is_on_top(scores: list[float] | None) -> None:
    """The first box is the larger one; both share their left edge."""
    boxes = [[5.0, 5, 30, 45], [5, 5, 15, 15]]
    given = {} if scores is None else {"scores": torch.tensor(scores)}
    picture = drawn(GREY, objects(boxes, **given), DESCRIPTION)
    alone = drawn(GREY, objects([boxes[1]] * 2), DESCRIPTION)  # whose second colour it has
    assert torch.equal(picture[:, 10, 5], alone[:, 10, 5])


def test_keypoints_and_limbs_have_the_colour_of_their_side() -> None:
    points = torch.tensor([[[40.5, 10.5, 2], [60.5, 40.5, 2], [20.5, 40.5, 1]]])
    picture = drawn(GREY, objects([[0.0, 0, 80, 60]], keypoints=points), DESCRIPTION)
    at = [tuple(picture[:, y, x].tolist()) for x, y in ((40, 10), (60, 40), (50, 25), (30, 25), (40, 40))]
    assert at == [YELLOW, GREEN, GREEN, RED, YELLOW]


def test_a_hidden_keypoint_is_a_ring_and_one_that_is_not_labelled_is_left_out() -> None:
    def around(seen: int) -> torch.Tensor:
        points = torch.tensor([[[40.5, 30.5, 0], [60.5, 40.5, seen], [NAN, 5, 2]]])
        return drawn(GREY, objects([[0.0, 0, 80, 60]], keypoints=points), DESCRIPTION)[:, 38:43, 58:63]

    assert (around(0) == 100).all()
    assert tuple(around(2)[:, 2, 2].tolist()) == GREEN
    assert (around(1)[:, 2, 2] == 100).all()
    assert (around(1) == torch.tensor(GREEN)[:, None, None]).all(0).sum() >= 4


def test_predicted_keypoints_are_drawn_whatever_their_score() -> None:
    points = torch.tensor([[[40.5, 30.5, -3.0], [60.5, 40.5, 0.0], [20.5, 40.5, 1.0]]])
    found = objects([[0.0, 0, 80, 60]], keypoints=points, scores=torch.tensor([0.1]))
    picture = drawn(GREY, found, DESCRIPTION)
    assert [tuple(picture[:, y, x].tolist()) for x, y in ((40, 30), (60, 40), (20, 40))] == [YELLOW, GREEN, RED]


def test_a_label_stands_where_its_box_has_room_and_nowhere_else() -> None:
    def labelled(box: list[float]) -> torch.Tensor:
        picture = drawn(GREY, objects([box], scores=torch.tensor([0.5])), DESCRIPTION)
        left, top, right, bottom = map(int, box)
        frame = filled([left, top, right, bottom]) & ~filled([left + 1, top + 1, right - 1, bottom - 1])
        return changed(picture) & ~frame

    assert not labelled([10, 30, 25, 58]).any(), "too narrow for any text"
    above = labelled([5, 30, 75, 58])
    assert above[:30].any()
    assert not above[30:].any()
    assert labelled([5, 0, 75, 58])[:20].any(), "no room above, so within"
    assert not labelled([5, 0, 75, 12]).any(), "neither above nor within"


def test_a_narrow_box_says_the_name_without_the_score() -> None:
    wide, narrow = (
        changed(drawn(GREY, objects([[5.0, 30, right, 58]], scores=torch.tensor([0.5])), DESCRIPTION))[:30].sum()
        for right in (75, 45)
    )
    assert 0 < narrow < wide


def test_the_only_thing_there_is_needs_no_name() -> None:
    alone = replace(DESCRIPTION, things=("person",))
    box = [5.0, 30, 75, 58]
    named, scored = (drawn(GREY, objects([box], **more), alone) for more in ({}, {"scores": torch.tensor([0.5])}))
    assert not changed(named)[:30].any()
    assert changed(scored)[:30].any()


def test_labels_do_not_cover_one_another() -> None:
    """Two boxes in one place: the better one's label is all there is."""
    box = [5.0, 20, 75, 40]
    twice = drawn(GREY, objects([box, box], scores=torch.tensor([0.9, 0.8])), DESCRIPTION)
    once = drawn(GREY, objects([box], scores=torch.tensor([0.9])), DESCRIPTION)
    assert torch.equal(twice, once)


@pytest.mark.parametrize(
    "box", [[-20.0, -20, 200, 200], [90, 70, 95, 75], [30, 30, 30, 30], [40, 40, 20, 20], [NAN, 1, INF, 9]]
)
def test_boxes_beyond_the_image_or_without_extent_are_drawn_all_the_same(box: list[float]) -> None:
    assert changed(drawn(GREY, objects([box]), DESCRIPTION)).any()
