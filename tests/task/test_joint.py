from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from src.data.description import Description
from src.data.sample import Batch
from src.loss.angle import Angle
from src.loss.cross_entropy import CrossEntropy
from src.loss.joint import Joint as Losses
from src.loss.l1 import L1
from src.loss.weighting.fixed import Fixed
from src.loss.weighting.gradient_norm import GradientNorm
from src.loss.weighting.uncertainty import Uncertainty
from src.task.joint import Joint
from src.task.normals import Normals
from src.task.semantic import Semantic
from src.task.task import Task, _summed, learnt

FACTS = Description(("image", "mask", "normals"), ("a", "b"), ((0, 0, 0), (9, 9, 9)))
SIZE = (6, 8)


class Net(nn.Module):
    """One layer that all share, and one for each field."""

    def __init__(self, *, in_channels, out_channels):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.shared = nn.Conv2d(in_channels, 4, 1), nn.Identity()
        self.heads = nn.ModuleDict({field: nn.Conv2d(4, k, 1) for field, k in out_channels.items()})
        self.seen = []

    def forward(self, image):
        self.seen.append(image)
        features = self.shared(self.first(image).tanh())
        return {field: head(features) for field, head in self.heads.items()}


class Bright(Task):
    """A task that hides everything from the network but how bright the image is, and asks for its first channel."""

    fields = ("image",)

    def __init__(self, description, model, loss, optimizer, scheduler=None, **options):
        from torchmetrics import MeanMetric, MetricCollection

        suite = MetricCollection({"size": MeanMetric()})
        super().__init__(description, model(in_channels=1, out_channels=1), loss, suite, optimizer, **options)

    def forward(self, batch):
        return self.model(batch.image.mean(1, keepdim=True))

    def losses(self, output, batch):
        return {"half": self.loss(output, self.target(batch)) / 2, "other": self.loss(output, self.target(batch)) / 2}

    def answer(self, output):
        return output

    def target(self, batch):
        return batch.image[:, :1]

    def named_scores(self, values):
        return {"score": float("nan")}

    def panels(self, batch, answer):
        return {"image": self.pictured(batch), "prediction": self.pictured(batch)}


PARTS = {"mask": Semantic, "normals": Normals, "bright": Bright}
LOSSES = {"mask": CrossEntropy(), "normals": Angle(), "bright": L1()}
WEIGHTS = {"mask": 1.0, "normals": 0.5, "bright": 2.0}
FIXED = partial(Fixed, WEIGHTS)


def build(fields=("mask", "normals"), weighting=FIXED, model=Net, **options):
    loss = partial(Losses, weighting, **LOSSES)
    return Joint(FACTS, model, loss, partial(torch.optim.SGD, lr=0.1), fields=fields, parts=PARTS, **options)


def batch():
    torch.manual_seed(1)
    normals = F.normalize(torch.randn(2, 3, *SIZE), dim=1)
    mask = torch.randint(0, 2, (2, *SIZE), dtype=torch.uint8)
    return Batch(torch.rand(2, 3, *SIZE), mask, normals=normals, size=[SIZE] * 2, name=["x", "y"])


def alone(kind, model, loss):
    """The same field as a task by itself, with the shared network's weights."""

    class Only(nn.Module):
        def forward(self, image):
            return model(image)["mask" if kind is Semantic else "normals"]

    return kind(FACTS, lambda **_: Only(), loss, partial(torch.optim.SGD, lr=0.1))


def test_each_field_is_what_its_own_task_makes_of_the_shared_network():
    joint, example = build().eval(), batch()
    with torch.no_grad():
        output = joint(example)
        for field, kind in (("mask", Semantic), ("normals", Normals)):
            single = alone(kind, joint.model, LOSSES[field]).eval()
            expected = single(example)
            torch.testing.assert_close(output[field], expected)
            torch.testing.assert_close(joint.answer(output)[field], single.answer(expected))
            assert torch.equal(joint.target(example)[field], single.target(example))
            priced = joint.losses(output, example)[field]
            torch.testing.assert_close(priced, WEIGHTS[field] * single.losses(expected, example)["loss"])
    assert len(joint.model.seen) == 3  # once for both fields, and once for each alone


def test_it_needs_what_its_fields_need():
    assert build().fields == ("image", "mask", "normals")
    assert build(("normals",)).fields == ("image", "normals")
    assert build(("bright", "mask")).fields == ("image", "mask")


def test_with_a_field_that_may_see_less_the_network_sees_no_more():
    joint, example = build(("mask", "bright")).eval(), batch()
    assert joint.model.first.in_channels == joint.in_channels == 1
    assert list(joint(example)) == ["mask", "bright"]
    (seen,) = joint.model.seen
    assert torch.equal(seen, example.image.mean(1, keepdim=True))


def test_the_score_is_the_mean_of_the_headlines_that_are_defined():
    joint, example = build(("mask", "normals", "bright")).eval(), batch()
    with torch.no_grad():
        answer = joint.answer(joint(example))
    suite = joint.suites["val"]
    suite.update({"mask": answer["mask"], "normals": answer["normals"], "bright": torch.ones(1)},
                 {**joint.target(example), "bright": torch.ones(1)})  # fmt: skip
    scores = joint.named_scores(suite.compute())
    assert scores["score"] == pytest.approx((scores["mask/miou"] + scores["normals/under_11_25"]) / 2)
    assert "mask/score" not in scores
    assert "mask/iou/a" in scores


def test_panels_of_all_fields_beside_one_image():
    joint, example = build(("mask", "bright")).eval(), batch()
    with torch.no_grad():
        panels = joint.panels(example, joint.answer(joint(example)))
    assert list(panels) == ["image", "mask: target", "mask: prediction", "mask: error", "bright: prediction"]


def test_terms_of_one_field_are_added_before_they_are_weighed():
    joint, example = build(("bright",)), batch()
    output = joint(example)
    expected = 2.0 * L1()(output["bright"], example.image[:, :1])
    torch.testing.assert_close(joint.losses(output, example), {"bright": expected})


@pytest.mark.parametrize("weighting", [FIXED, Uncertainty, GradientNorm])
@pytest.mark.parametrize("unknown", ["mask", "normals", "both"])
def test_a_field_of_which_nothing_is_known_costs_nothing_and_leaves_no_parameter_unused(weighting, unknown):
    joint, example = build(weighting=weighting), batch()
    if unknown != "normals":
        example.mask.fill_(255)
    if unknown != "mask":
        example.normals.zero_()
    terms = joint.losses(joint(example), example)
    assert all((term.item() == 0) == (unknown in (field, "both")) for field, term in terms.items())
    sum(terms.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in joint.parameters())
    for field in ("mask", "normals"):
        assert bool(joint.model.heads[field].weight.grad.any()) == (unknown not in (field, "both"))


def test_the_mean_loss_does_not_depend_on_how_the_set_was_divided():
    joint, example = build().eval(), batch()
    example.mask[0].fill_(255)
    example.normals[1, :, 3:] = 0

    def mean(*batches):
        sums = sum(joint._priced(joint(part), part) for part in batches)
        return _summed(sums[0] / sums[1])

    halves = [
        Batch(example.image[i : i + 1], example.mask[i : i + 1], normals=example.normals[i : i + 1], size=[SIZE])
        for i in range(2)
    ]
    with torch.no_grad():
        torch.testing.assert_close(mean(*halves), mean(example), rtol=1e-6, atol=0)
        known = joint.losses(joint(halves[0]), halves[0])["normals"]
        assert mean(halves[0]) == pytest.approx(float(known), rel=1e-6)  # its mask is unknown everywhere


def test_gradient_norm_hears_the_shared_features_of_each_training_step_and_of_no_other():
    joint, example = build(weighting=GradientNorm), batch()
    terms = joint.losses(joint(example), example)
    assert joint._common == []
    sum(terms.values()).backward()
    assert joint.loss.weighting.logits.grad.any()
    with torch.no_grad():
        joint.eval()(example)
    assert joint._common == []


def test_what_the_weighting_learns_is_trained_without_decay_at_a_rate_of_its_own():
    optimizer = partial(torch.optim.AdamW, lr=0.01)
    (group,) = learnt(build(weighting=partial(Uncertainty, 5.0)).loss, optimizer)
    assert (group["lr"], group["weight_decay"]) == (0.05, 0.0)
    assert group["params"][0].shape == (2,)
    assert learnt(build().loss, optimizer) == []
    with pytest.raises(ValueError, match=r"loss\.weighting\.rate=5\.0 is relative to optimizer\.lr"):
        learnt(build(weighting=partial(Uncertainty, 5.0)).loss, torch.optim.Adadelta)


def test_weights_are_told_by_field():
    joint = build(weighting=Uncertainty)
    joint.loss.weighting.log_variances.data = torch.tensor([0.0, 0.5]).log()
    assert {name: float(value) for name, value in joint.figures().items()} == {
        "weight/mask": float("inf"),
        "weight/normals": pytest.approx(2),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": ()}, "name one field or more, each once, of mask, normals, bright"),
        ({"fields": ("mask", "mask")}, "each once"),
        ({"fields": ("mask", "depth")}, r"task\.fields names depth, which is none of task\.parts: mask, normals"),
        ({"weighting": GradientNorm, "compile": True}, "task.compile=false, or loss/weighting=uncertainty"),
        (
            {"weighting": GradientNorm, "model": lambda **_: nn.Conv2d(3, 3, 1)},
            "Conv2d has none: take model=multi_head",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_would(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
