"""What every detector keeps, whatever its parts: terms in training, objects in evaluation, any image."""

import io
from dataclasses import replace

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn

from src.data.sample import Instances
from src.loss.mask_rcnn import MaskRCNN
from src.model.interface import Detector
from src.run.plugins import CONF

SMALL = ["model.neck.width=8", "model.box.width=8", "model.rpn.after_nms=[20,20]", "model.box.samples=16"]
SCALAR = {"objectness", "rpn_box", "class", "box"}
VARIANTS = {  # by name: a model of conf/model, and what is said to it
    "faster_rcnn": SMALL,
    "mask_rcnn": [*SMALL, "model.mask.width=8"],
    "agnostic": [*SMALL, "model.mask.width=8", "model.mask.class_agnostic=true"],
    "pool": [*SMALL, "model.mask.width=8", "model/roi=pool"],
    "align_max": [*SMALL, "model.mask.width=8", "model/roi=align_max"],
    "c4": ["model/neck=c4", *SMALL[1:], "model.mask.width=8"],
    "dc5": ["model/neck=dc5", *SMALL, "model.mask.width=8", "model.backbone.output_stride=16"],
    "keypoint_rcnn": [*SMALL, "model.keypoint.width=8"],
    "both": [*SMALL, "model.keypoint.width=8", "model.mask.width=8", "model.masks=true"],
}
MODELS = {"faster_rcnn": "faster_rcnn", "keypoint_rcnn": "keypoint_rcnn", "both": "keypoint_rcnn"}


def detector(name: str, *words: str, classes: int = 3, channels: int = 3) -> nn.Module:
    model = MODELS.get(name, "mask_rcnn")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={model}", *VARIANTS[name], *words])
    points = {"num_keypoints": 5} if model == "keypoint_rcnn" else {}
    torch.manual_seed(0)
    built = instantiate(config.model, _convert_="all")(in_channels=channels, out_channels=classes, **points)
    return built.train()


def scene(height: int, width: int, count: int, channels: int = 3) -> tuple[Tensor, Instances]:
    generator = torch.Generator().manual_seed(height + count)
    corner = torch.rand(count, 2, generator=generator) * torch.tensor([width / 2, height / 2])
    boxes = torch.cat([corner, corner + torch.tensor([width / 3, height / 3])], 1)
    points = torch.rand(count, 5, 3, generator=generator) * torch.tensor([width, height, 2.9])
    points[..., 2] = points[..., 2].floor()
    masks = torch.rand(count, height, width, generator=generator) > 0.5
    labels = torch.randint(3, (count,), generator=generator, dtype=torch.uint8)
    return torch.rand(channels, height, width, generator=generator), Instances(boxes, labels, masks, points)


def batch(*counts: int) -> tuple[list[Tensor], list[Instances]]:
    """Images of sizes that no stride divides."""
    found = [scene(41 + 10 * i, 70 - 9 * i, count) for i, count in enumerate(counts)]
    return [image for image, _ in found], [objects for _, objects in found]


@pytest.mark.parametrize("name", VARIANTS)
def test_training_gives_terms_whose_sum_reaches_every_parameter(name):
    model = detector(name, "model.rpn.foreground=0.3", "model.rpn.background=0.2")
    images, targets = batch(3, 2)
    terms = model(images, targets)
    branches = {"mask"} if model.masks else set()
    assert set(terms) == SCALAR | branches | ({"keypoint"} if "keypoint" in model.branches else set())
    priced = MaskRCNN().terms(terms)
    assert all(term.isfinite() and term.ndim == 0 for term in priced.values())
    if model.masks:
        logits, wanted = terms["mask"]
        assert logits.shape == wanted.shape
        assert 0 <= wanted.min() < wanted.max() <= 1
    sum(priced.values()).backward()
    missed = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert missed == []


@pytest.mark.parametrize("name", VARIANTS)
def test_evaluation_gives_objects_at_the_sizes_that_are_asked_for(name):
    model = detector(name, "model.box.score=0.0", "model.box.detections=7").eval()
    images, _ = batch(1, 1)
    sizes = [(82, 140), (20, 30)]
    with torch.no_grad():
        found, own = model(images, sizes=sizes), model(images)
    assert isinstance(model, Detector)
    for objects, at_own, image, (height, width) in zip(found, own, images, sizes, strict=True):
        assert len(objects) == 7
        assert objects.scores.equal(objects.scores.sort(descending=True).values)
        assert 0 <= objects.labels.min() <= objects.labels.max() < 3
        assert (objects.boxes >= 0).all()
        assert (objects.boxes <= torch.tensor([width, height] * 2)).all()
        stretch = torch.tensor([width / image.shape[2], height / image.shape[1]])
        torch.testing.assert_close(objects.boxes, at_own.boxes * stretch.repeat(2))
        if model.masks:
            assert (objects.masks.dtype, objects.masks.shape) == (torch.bool, (7, height, width))
        else:
            assert objects.masks is None
        if "keypoint" in model.branches:
            assert objects.keypoints.shape == (7, 5, 3)
            torch.testing.assert_close(objects.keypoints[..., :2], at_own.keypoints[..., :2] * stretch)
            assert ((objects.keypoints[..., 2] > 0) & (objects.keypoints[..., 2] <= 1)).all()


@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn", "both", "c4"])
@pytest.mark.parametrize("counts", [(0,), (0, 2), (0, 0)])
def test_images_without_objects_cost_what_is_finite(name, counts):
    model = detector(name)
    terms = MaskRCNN().terms(model(*batch(*counts)))
    assert all(term.isfinite() for term in terms.values())
    if not any(counts):
        assert [terms[key].item() for key in ("rpn_box", "box", "mask", "keypoint") if key in terms] == [0] * (
            2 + len(model.branches)
        )
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", ["mask_rcnn", "both"])
def test_an_image_in_which_nothing_is_found_has_no_objects(name):
    model = detector(name, "model.box.score=1.0").eval()
    with torch.no_grad():
        found = model([torch.zeros(3, 33, 40)])[0]
    assert len(found) == 0
    assert found.masks.shape == (0, 33, 40)
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0,))


@pytest.mark.parametrize("name", ["mask_rcnn", "both", "c4"])
def test_boxes_are_full_precision_under_autocast(name):
    model, (images, targets) = detector(name, "model.box.score=0.0"), batch(2, 0)
    with torch.autocast("cpu", torch.bfloat16):
        terms = MaskRCNN().terms(model(images, targets))
        with torch.no_grad():
            objects = model.eval()(images)[0]
    assert all(term.isfinite() for term in terms.values())
    assert objects.boxes.dtype == objects.scores.dtype == torch.float32
    assert (objects.boxes != objects.boxes.bfloat16()).any()


def test_a_mask_of_all_classes_is_one():
    assert detector("agnostic").mask.predictor.mask_fcn_logits.out_channels == 1
    assert detector("mask_rcnn").mask.predictor.mask_fcn_logits.out_channels == 4


def test_a_c4_mask_has_as_many_cells_as_the_region_that_was_cut_out():
    terms = detector("c4")(*batch(2))
    assert terms["mask"][0].shape[1:] == (14, 14)
    assert detector("mask_rcnn")(*batch(2))["mask"][0].shape[1:] == (28, 28)


def test_an_image_alone_is_seen_as_beside_a_larger_one():
    """Padding is what the backbone's normalisation makes a zero of."""
    model, (small, large) = detector("faster_rcnn"), batch(1, 1)[0]
    padded, _ = model.resize([small, large], None)
    normal = model.backbone.normalize(padded.tensors)
    assert not normal[0, :, small.shape[1] :].any()
    assert not normal[0, :, :, small.shape[2] :].any()
    assert padded.tensors[0, :, : small.shape[1], : small.shape[2]].equal(small)


def test_another_number_of_channels_and_the_memory_format_make_no_difference():
    model = detector("mask_rcnn", "model.box.score=0.0", channels=1).eval()
    image, _ = scene(40, 64, 1, channels=1)
    with torch.no_grad():
        plain = model([image])[0]
        last = model.to(memory_format=torch.channels_last)([image])[0]
    torch.testing.assert_close(plain.scores, last.scores, rtol=1e-3, atol=1e-5)


def test_it_comes_back_from_its_state():
    model, file = detector("both", "model.box.score=0.0").eval(), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = detector("both", "model.box.score=0.0").eval()
    for parameter in other.parameters():
        nn.init.constant_(parameter, 0.5)
    other.load_state_dict(torch.load(file, weights_only=True))
    image, _ = scene(40, 64, 1)
    with torch.no_grad():
        first, second = model([image])[0], other([image])[0]
    assert first.boxes.equal(second.boxes)
    assert first.keypoints.equal(second.keypoints)


@pytest.mark.parametrize(("name", "field"), [("mask_rcnn", "masks"), ("keypoint_rcnn", "keypoints")])
def test_a_dataset_without_what_a_branch_learns_from_is_told_what_to_take(name, field):
    images, targets = batch(1)
    lacking = [replace(targets[0], **{field: None})]
    with pytest.raises(ValueError, match=rf"the dataset has no {field}, .* take model=faster_rcnn"):
        detector(name)(images, lacking)
    assert detector("faster_rcnn")(images, [Instances(targets[0].boxes, targets[0].labels)])


def test_a_box_without_an_inside_is_named():
    images, targets = batch(1)
    flat = replace(targets[0], boxes=torch.tensor([[3.0, 5, 3, 9]]))
    with pytest.raises(ValueError, match=r"the box \[3\.0, 5\.0, 3\.0, 9\.0\] is empty"):
        detector("faster_rcnn")(images, [flat])


def test_sizes_that_do_not_suit_the_levels_are_refused_with_those_that_would():
    with pytest.raises(ValueError, match=r"give 5 levels.* say model\.rpn\.sizes=\[8, 16, 32, 64, 128\]"):
        detector("faster_rcnn", "model.rpn.sizes=[8,16,32]")
    with pytest.raises(ValueError, match=r"give 4 levels.* say model\.rpn\.sizes=\[8, 16, 32, 64\]"):
        detector("faster_rcnn", "model.backbone.output_stride=16")


@pytest.mark.parametrize(("words", "seen"), [((64, None), (64, 128)), ((64, 96), (48, 96)), ((None, None), (40, 80))])
def test_images_are_seen_at_the_size_that_is_said(words, seen):
    smaller, larger = ("null" if word is None else word for word in words)
    model = detector("faster_rcnn", f"model.min_size={smaller}", f"model.max_size={larger}")
    image, objects = scene(40, 80, 2)
    padded, (target,) = model.resize([image], [model._wanted(objects)])
    assert padded.image_sizes == [seen]
    assert all(side % 32 == 0 for side in padded.tensors.shape[-2:])
    torch.testing.assert_close(target["boxes"], objects.boxes * (seen[0] / 40))


def test_a_bound_without_a_size_is_refused():
    with pytest.raises(ValueError, match=r"model\.max_size=96 bounds a size, and there is none: say model\.min_size"):
        detector("faster_rcnn", "model.max_size=96")
