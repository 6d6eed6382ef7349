"""FCIS: terms in training, objects in evaluation, and the published network's sizes."""

import io
from dataclasses import replace

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn
from torchvision.ops import box_iou

from src.data.sample import Instances
from src.loss.mask_rcnn import MaskRCNN
from src.model.interface import Detector
from src.run.plugins import CONF

SMALL = ["model.box.width=16", "model.rpn.after_nms=[20,20]", "model.box.samples=8", "model.box.groups=3"]
TOLD = ["model.box.score=0.0", "model.box.threshold=0.1"]  # so that a network that has learned nothing finds something
NEAR = ["model.rpn.foreground=0.3", "model.rpn.background=0.2"]


def detector(*words: str, name: str = "fcis", classes: int = 3, channels: int = 3) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}", *words])
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=channels, out_channels=classes)


def small(*words: str, channels: int = 3) -> nn.Module:
    return detector(*SMALL, *words, channels=channels)


def batch(*counts: int) -> tuple[list[Tensor], list[Instances]]:
    """Images of sizes that no stride divides, with so many objects each."""
    generator = torch.Generator().manual_seed(0)
    images, targets = [], []
    for i, count in enumerate(counts):
        height, width = 41 + 10 * i, 70 - 9 * i
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width / 2, height / 2])
        boxes = torch.cat([corner, corner + torch.tensor([width / 3, height / 3])], 1)
        masks = torch.rand(count, height, width, generator=generator) > 0.5
        images.append(torch.rand(3, height, width, generator=generator))
        targets.append(Instances(boxes, torch.randint(3, (count,), generator=generator), masks))
    return images, targets


def same(found: Instances, expected: Instances) -> None:
    assert found.labels.equal(expected.labels)
    torch.testing.assert_close(found.scores, expected.scores)
    assert found.boxes.equal(expected.boxes)
    assert found.masks.equal(expected.masks)


def convolutions(channels: int, width: int, count: int) -> int:
    """Weights of a ResNet's stage of bottlenecks."""
    out = 4 * width
    first = channels * width + 9 * width**2 + width * out + channels * out
    return first + (count - 1) * (out * width + 9 * width**2 + width * out)


def test_the_published_network_has_the_parameters_of_its_layers():
    with torch.device("meta"):
        model = detector(name="fcis_resnet101", classes=80)
    backbone = 7 * 7 * 3 * 64 + convolutions(64, 64, 3) + convolutions(256, 128, 4) + convolutions(512, 256, 23)
    neck = convolutions(1024, 512, 3)
    rpn = (9 * 1024 + 1) * 512 + (512 + 1) * 12 * (1 + 4)  # one logit for an anchor, where the paper has two
    box = (2048 + 1) * 1024 + (1024 + 1) * 49 * (2 * 81 + 2 * 4)
    parts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert {name: count for name, count in parts.items() if count} == {
        "backbone": backbone,
        "neck": neck,
        "rpn": rpn,
        "box": box,
    }
    assert sum(parts.values()) == 57_781_126
    assert model.rpn.anchor_generator.num_anchors_per_location() == [12]


def test_the_published_network_sees_an_image_at_a_sixteenth():
    with torch.device("meta"):
        model = detector(name="fcis_resnet101", classes=80)
        features = model.neck(model.backbone(torch.zeros(1, 3, 160, 240)))
        scores, corrections = model._maps(features)
        cells = model.cuts["box"]({"0": features["regions"]}, [torch.zeros(4, 4)])
    assert (scores.shape, corrections.shape) == ((1, 49, 162, 10, 15), (1, 49, 8, 10, 15))
    assert features["proposals"].shape == (1, 1024, 10, 15)
    assert cells.shape == (4, 2048, 3, 3)
    last = model.neck.deep[-1].conv2
    assert (last.dilation, last.stride) == ((2, 2), (1, 1))


def test_training_gives_terms_whose_sum_reaches_every_parameter():
    model = small(*NEAR).train()
    assert isinstance(model, Detector)
    terms = model(*batch(3, 2))
    assert set(terms) == {"objectness", "rpn_box", "class", "box", "mask"}
    logits, wanted = terms["mask"]
    assert logits.shape == wanted.shape
    assert logits.shape[1:] == (9, 9)
    assert wanted.unique().tolist() == [0, 1]
    priced = MaskRCNN().terms(terms)
    sum(priced.values()).backward()
    missed = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert missed == []
    still = [name for name, p in model.named_parameters() if not p.grad.any()]
    assert still == []


def test_proposals_come_from_the_fourth_stage_and_regions_from_the_fifth():
    words = ["model/neck=rfcn", "model.backbone.output_stride=16"]
    model = small(*words, *NEAR).train()
    terms = MaskRCNN().terms(model(*batch(2)))
    deep = next(iter(model.neck.deep.parameters()))
    early = next(iter(model.backbone.parameters()))
    found = [torch.autograd.grad(terms[name], [deep, early], retain_graph=True, allow_unused=True) for name in terms]
    assert {
        name: (of_deep is not None, of_early is not None)
        for name, (of_deep, of_early) in zip(terms, found, strict=True)
    } == {
        "objectness": (False, True),
        "rpn_box": (False, True),
        "class": (True, True),
        "box": (True, True),
        "mask": (True, True),
    }


@pytest.mark.parametrize("counts", [(0,), (0, 2), (0, 0)])
def test_images_without_objects_cost_what_is_finite(counts):
    model = small().train()
    terms = MaskRCNN().terms(model(*batch(*counts)))
    assert all(term.isfinite() for term in terms.values())
    if not any(counts):
        assert [terms[name].item() for name in ("rpn_box", "box", "mask")] == [0, 0, 0]
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_evaluation_gives_objects_at_the_sizes_that_are_asked_for():
    model = small(*TOLD, "model.box.detections=7").eval()
    images, _ = batch(1, 1)
    sizes = [(82, 140), (20, 30)]
    with torch.no_grad():
        found = model(images, sizes=sizes)
    for objects, (height, width) in zip(found, sizes, strict=True):
        assert 0 < len(objects) <= 7
        assert objects.scores.equal(objects.scores.sort(descending=True).values)
        assert 0 <= objects.labels.min() <= objects.labels.max() < 3
        assert (objects.boxes[:, 2:] > objects.boxes[:, :2]).all()
        assert ((objects.boxes >= 0) & (objects.boxes <= torch.tensor([width, height] * 2))).all()
        assert (objects.masks.dtype, objects.masks.shape[1:]) == (torch.bool, (height, width))
        assert objects.masks.flatten(1).any(1).all()


def test_an_image_in_which_nothing_is_found_has_no_objects():
    model = small("model.box.score=1.0").eval()
    with torch.no_grad():
        found = model([torch.zeros(3, 33, 40)])[0]
    assert (found.masks.shape, found.boxes.shape, found.scores.shape) == ((0, 33, 40), (0, 4), (0,))


def test_what_was_corrected_is_seen_again():
    image = batch(1)[0]
    once, twice = small("model.iterations=1").eval(), small("model.iterations=2").eval()
    nn.init.normal_(twice.box.corrections.weight, std=1.0)
    once.load_state_dict(twice.state_dict())
    with torch.no_grad():
        ((first, scores, masks),) = once._regions(image, [(41, 70)], once.resize, mirrored=False)
        ((both, again, seen),) = twice._regions(image, [(41, 70)], twice.resize, mirrored=False)
        _, _, moves = twice.box.seen(twice.cuts["box"], _maps(twice, image), [first])
    count = len(first)
    assert (len(both), again.shape, seen.shape) == (2 * count, (2 * count, 3), (2 * count, 9, 9))
    assert both[:count].equal(first)
    assert again[:count].equal(scores)
    assert seen[:count].equal(masks)
    moved = twice.box.box_coder.decode(moves, [first])[:, 0]
    expected = torch.stack([moved[:, i].clamp(0, (70, 41)[i % 2]) for i in range(4)], 1)
    torch.testing.assert_close(both[count:], expected)
    assert box_iou(both[count:], first).diag().min() < 0.9


def _maps(model: nn.Module, images: list[Tensor]) -> tuple[Tensor, Tensor]:
    padded, _ = model.resize(images)
    return model._maps(model._levels(padded.tensors))


def test_with_its_mirror_image_it_finds_the_mirror_image():
    model = small("model.box.score=0.0", "model.flip=true", "model.box.detections=5").eval()
    nn.init.normal_(model.box.scores.weight, std=1.0)  # so that a mask is not its whole box
    image = torch.rand(3, 40, 64, generator=torch.Generator().manual_seed(0))  # of whole cells
    with torch.no_grad():
        (found,), (mirrored,) = model([image]), model([image.flip(-1)])
    assert len(found) > 0
    torch.testing.assert_close(found.scores, mirrored.scores)
    assert found.masks.equal(mirrored.masks.flip(-1))
    assert not found.masks.equal(mirrored.masks)
    with torch.no_grad():
        model.mirrored = (False,)
        assert not model([image])[0].masks.equal(model([image.flip(-1)])[0].masks.flip(-1))


def test_each_size_of_a_test_has_a_vote():
    image = batch(1)[0]
    plain, larger = small(*TOLD).eval(), small(*TOLD, "model.test_sizes=[41,82]", "model.max_size=100").eval()
    with torch.no_grad():
        assert [larger.views[i](image)[0].image_sizes for i in (0, 1)] == [[(41, 70)], [(58, 100)]]
        same(small(*TOLD, "model.test_sizes=[41]").eval()(image)[0], plain(image)[0])
        found = larger(image)[0]
        assert len(found) > 0
        assert not torch.equal(found.scores, plain(image)[0].scores)
    larger.train()
    padded, _ = larger.resize(image)
    assert padded.image_sizes == [(41, 70)]  # of a test alone


def test_a_bound_without_a_size_is_refused():
    with pytest.raises(ValueError, match=r"model\.max_size=96 bounds a size, and there is none: say model\.min_size"):
        small("model.max_size=96")


def test_objects_are_full_precision_under_autocast():
    model, (images, targets) = small(*TOLD).train(), batch(2, 0)
    with torch.autocast("cpu", torch.bfloat16):
        terms = MaskRCNN().terms(model(images, targets))
        with torch.no_grad():
            objects = model.eval()(images)[0]
    assert all(term.isfinite() for term in terms.values())
    assert objects.boxes.dtype == objects.scores.dtype == torch.float32
    assert len(objects) > 0


def test_it_comes_back_from_its_state_which_finding_leaves_alone():
    model, file = small(*TOLD).eval(), io.BytesIO()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    image = batch(1)[0]
    with torch.no_grad():
        found = model(image)[0]
    assert not model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = small(*TOLD).eval()
    for parameter in other.parameters():
        nn.init.constant_(parameter, 0.5)
    other.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        same(other(image)[0], found)


def test_another_number_of_channels_and_the_memory_format_make_no_difference():
    model = small(*TOLD, channels=1).eval()
    image = batch(1)[0][0][:1]
    with torch.no_grad():
        plain = model([image])[0]
        last = model.to(memory_format=torch.channels_last)([image])[0]
    torch.testing.assert_close(plain.scores, last.scores, rtol=1e-3, atol=1e-5)


def test_a_neck_that_sees_each_region_by_itself_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match=r"model/neck=c4 gives it one: take model/neck=rfcn"):
        detector("model/neck=c4", "model.rpn.sizes=[8]", "model.backbone.output_stride=32")


@pytest.mark.parametrize("roi", ["pool", "align_max"])
def test_regions_are_cut_by_any_operator_and_from_any_single_map(roi):
    words = ["model/neck=dc5", f"model/roi={roi}", "model.backbone.output_stride=16"]
    model = detector(*words, *SMALL, *NEAR).train()
    terms = MaskRCNN().terms(model(*batch(2)))
    sum(terms.values()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_dataset_without_masks_is_told_what_to_take():
    images, targets = batch(1)
    with pytest.raises(ValueError, match=r"the dataset has no masks, .* take model=faster_rcnn"):
        small().train()(images, [replace(targets[0], masks=None)])
