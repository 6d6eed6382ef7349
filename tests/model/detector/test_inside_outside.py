"""One pair of maps for a class says whether a region holds it and where it is."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.detector.inside_outside import InsideOutside
from src.model.roi.align import Align

CORNERS = 4  # pixels: where a mask is cut off in both directions, it is drawn round
CUT = Align(size=2, reductions=[8])  # for 3×3 parts: 6×6 cells


def branch(**said: Any) -> InsideOutside:
    torch.manual_seed(0)
    return InsideOutside(width=6, groups=3, size=2, channels=5, out_channels=4, **said)


def maps(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores, corrections = (torch.randn(1, 9, number, 8, 8, generator=generator) for number in (10, 8))
    return scores.requires_grad_(), corrections.requires_grad_()


def scene() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Six proposals, of which two overlap the one object, whose box comes to them as a seventh."""
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(4, 2, generator=generator) * 10 + 32
    far = torch.cat([corner, corner + 16], 1)
    near = torch.tensor([[4.0, 4, 22, 20], [3.0, 5, 20, 21]])
    mask = torch.zeros(1, 64, 64, dtype=torch.uint8)
    mask[0, 4:20, 4:12] = 1
    target = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([2]), "masks": mask}
    return [torch.cat([near, far])], [target]


def test_the_published_branch_has_its_parameters():
    with torch.device("meta"):
        built = InsideOutside(channels=2048, out_channels=80)
        scores, corrections = built(torch.zeros(1, 2048, 10, 12))
        said = built.seen(Align(size=3, reductions=[16]), (scores, corrections), [torch.zeros(6, 4)])
    assert built.scores.out_channels == 7 * 7 * 2 * 81
    assert built.corrections.out_channels == 7 * 7 * 4 * 2
    parameters = {name: sum(p.numel() for p in part.parameters()) for name, part in built.named_children()}
    assert parameters == {
        "shared": (2048 + 1) * 1024,
        "scores": (1024 + 1) * 7 * 7 * 2 * 81,
        "corrections": (1024 + 1) * 7 * 7 * 2 * 4,
    }
    assert (scores.shape, corrections.shape) == ((1, 49, 162, 10, 12), (1, 49, 8, 10, 12))
    assert [tuple(part.shape) for part in said] == [(6, 81), (6, 81, 21, 21), (6, 4)]


def test_the_larger_of_both_is_the_class_and_their_softmax_the_mask():
    scores = torch.zeros(1, 9, 10, 8, 8)
    scores[:, :, 4], scores[:, :, 5] = 3.0, 1.0  # inside and outside of class 2
    scores[:, 4, 4], scores[:, 4, 5] = -2.0, 5.0  # in the middle part
    corrections = torch.zeros(1, 9, 8, 8, 8)
    corrections[:, 0, 4:] = torch.tensor([9.0, 18, 27, 36])[:, None, None]  # one part of nine
    logits, masks, moved = branch().seen(CUT, (scores, corrections), [torch.tensor([[8.0, 8, 40, 40]])])
    torch.testing.assert_close(logits, torch.tensor([[0, 0, (8 * 3 + 5) / 9, 0, 0]]))
    expected = torch.full((6, 6), torch.tensor([3.0, 1]).softmax(0)[0].item())
    expected[2:4, 2:4] = torch.tensor([-2.0, 5]).softmax(0)[0]
    torch.testing.assert_close(masks[0, 2].sigmoid(), expected)
    torch.testing.assert_close(moved, torch.tensor([[1.0, 2, 3, 4]]))


@pytest.mark.parametrize(("balance", "chosen"), [((1.0, 0.0, 0.0), 0), ((0.0, 1.0, 0.0), 1), ((0.0, 0.0, 1.0), 2)])
def test_those_that_cost_most_are_learned_from_by_what_is_in_balance(balance, chosen):
    """The costs are told again by hand, from what is seen of all regions."""
    proposals, targets = scene()
    scores = maps()
    every, few = branch(samples=100), branch(samples=3, balance=balance)
    boxes, _, (labels,), (deltas,) = every.select_training_samples(list(proposals), targets)
    logits, masks, moved = every.seen(CUT, scores, boxes)
    held = labels > 0
    assert (len(labels), held.sum()) == (7, 3)
    costs = [
        F.cross_entropy(logits, labels, reduction="none"),
        torch.zeros(7),
        F.smooth_l1_loss(moved, deltas, reduction="none").sum(1) * held,
    ]
    drawn, wanted = every.terms(CUT, scores, proposals, targets)["mask"]
    assert drawn.shape == wanted.shape == (3, 6, 6)
    logits_of = masks[held, 2]
    order = [int((drawn == one).all((1, 2)).nonzero()) for one in logits_of]
    unlike = F.binary_cross_entropy_with_logits(drawn, wanted, reduction="none").mean((1, 2))
    costs[1][held] = unlike[order]
    kept = costs[chosen].topk(3).indices
    terms = few.terms(CUT, scores, proposals, targets)
    torch.testing.assert_close(terms["class"], costs[0][kept].mean())
    torch.testing.assert_close(terms["box"], costs[2][kept].mean())
    assert len(terms["mask"][0]) == held[kept].sum()


def test_a_region_that_is_not_hard_has_no_gradient():
    """Of the far regions the cheapest are left out, and what they see alone does not move."""
    proposals, targets = scene()
    scores = maps()
    branch(samples=2, balance=(0.0, 0.0, 1.0)).terms(CUT, scores, proposals, targets)["class"].backward()
    assert scores[0].grad[..., :4, :4].any()  # the object's corner
    assert not scores[0].grad[..., 5:, 5:].any()  # of the far regions


def test_a_mask_is_right_where_its_object_is():
    proposals, targets = scene()
    box = targets[0]["boxes"]
    drawn, wanted = branch(background=0.0).terms(CUT, maps(), [box], targets)["mask"]
    expected = torch.zeros(6, 6)
    expected[:, :3] = 1  # the left half of its box
    assert wanted.equal(expected.expand(len(wanted), -1, -1))
    assert drawn.requires_grad
    few = {**targets[0], "masks": targets[0]["masks"] * 0}
    assert not branch().terms(CUT, maps(), proposals, [few])["mask"][1].any()


def test_nothing_in_an_image_costs_no_more_than_its_background():
    proposals, targets = scene()
    none = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": targets[0]["masks"][:0]}
    built = branch()
    for regions in (proposals, [torch.zeros(0, 4)]):
        both = built(torch.rand(1, 5, 8, 8))
        terms = built.terms(CUT, both, regions, [none])
        assert terms["box"] == 0
        assert terms["mask"][0].shape == (0, 6, 6)
        assert (terms["class"] > 0) == (len(regions[0]) > 0)
        (terms["class"] + terms["box"] + terms["mask"][0].sum()).backward()
        assert all(p.grad.isfinite().all() for p in built.parameters())


def test_regions_vote_on_a_mask_with_their_scores():
    """Two say left, one says right and is less sure; a fourth lies elsewhere, and a class has its own votes."""
    built = branch(score=0.3)
    near = torch.tensor([8.0, 8, 32, 32])
    boxes = torch.stack([near, near, near, torch.tensor([40.0, 40, 60, 60])])
    masks = torch.zeros(4, 6, 6)
    masks[:2, :, :3], masks[2, :, 3:], masks[3] = 1, 1, 1
    scores = torch.tensor([[0.9, 0], [0.8, 0], [0.7, 0.6], [0, 0]])
    found = built.found(boxes, scores, masks, (64, 64))
    assert found.labels.tolist() == [0, 1]
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.6]))
    left, right = torch.zeros(2, 64, 64, dtype=torch.bool)
    left[8:32, 8:20], right[8:32, 20:32] = True, True
    assert (found.masks[0] ^ left).sum() <= CORNERS  # the right has .7 of 2.4 votes, below .4
    assert (found.masks[1] ^ right).sum() <= CORNERS  # the others have no vote for this class
    surer = built.found(boxes, torch.tensor([[0.9, 0], [0.35, 0], [0.89, 0], [0.2, 0]]), masks, (64, 64))
    assert (surer.masks[0] ^ (left | right)).sum() <= 2 * CORNERS  # .89 of 2.14, above it
    alone = branch(score=0.3, merge=1.0).found(boxes[[0, 3]], scores[[0, 2]], masks[[0, 3]], (64, 64))
    assert alone.labels.tolist() == [0, 0, 1]


def test_the_maps_begin_small():
    built = branch()
    for part in (built.scores, built.corrections):
        assert isinstance(part, nn.Conv2d)
        assert 0.005 < part.weight.std() < 0.02
        assert not part.bias.any()
