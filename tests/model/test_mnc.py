"""The cascade: what a stage says reaches the next, a loss at its end reaches its beginning, and counts are VGG16's."""

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

SMALL = ["model.neck.width=8", "model.box.width=8", "model.mask.width=8"]
FEW = ["model.rpn.after_nms=[20,20]", "model.box.samples=16", "model.rpn.foreground=0.3", "model.rpn.background=0.2"]
FEWER = ["model.rpn.after_nms=[4,4]", "model.box.samples=4"]
VARIANTS = {
    "mnc": SMALL,
    "three": [*SMALL, "model.stages=3"],
    "align": [*SMALL, "model/roi=align"],
    "c4": ["model/neck=c4", "model.mask.width=8", "model.box.size=7", "model.box.width=null", *FEWER],
    "vgg": ["model/backbone=vgg16", "model.backbone.width=2", "model/neck=single", *SMALL[1:]],
}


def built(name: str, *words: str) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=["+model=mnc", *FEW, *VARIANTS[name], *words])
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=3, out_channels=3).train()


def batch(*counts: int) -> tuple[list[Tensor], list[Instances]]:
    """Images of sizes that no stride divides, with objects that are discs."""
    images, targets = [], []
    for i, count in enumerate(counts):
        generator, height, width = torch.Generator().manual_seed(i), 41 + 10 * i, 70 - 9 * i
        corner = torch.rand(count, 2, generator=generator) * torch.tensor([width / 2, height / 2])
        boxes = torch.cat([corner, corner + torch.tensor([width / 3, height / 3])], 1)
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        middle, radius = boxes.view(-1, 2, 2).mean(1), boxes[:, 2:] - boxes[:, :2]
        away = (x - middle[:, :1, None]) ** 2 / radius[:, :1, None] ** 2
        masks = away + (y - middle[:, 1:, None]) ** 2 / radius[:, 1:, None] ** 2 < 0.25
        images.append(torch.rand(3, height, width, generator=generator))
        targets.append(Instances(boxes, torch.randint(3, (count,), generator=generator), masks))
    return images, targets


@pytest.mark.parametrize("name", VARIANTS)
def test_training_gives_terms_whose_sum_reaches_every_parameter(name):
    model = built(name)
    terms = model(*batch(3, 2))
    assert set(terms) == {"objectness", "rpn_box", "class", "box", "mask"}
    logits, wanted = terms["mask"]
    assert logits.shape == wanted.shape
    assert logits.shape[1:] == (21, 21)
    assert set(wanted.unique().tolist()) == {0, 1}
    priced = MaskRCNN().terms(terms)
    assert all(term.isfinite() and term.ndim == 0 for term in priced.values())
    sum(priced.values()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("name", VARIANTS)
def test_evaluation_gives_objects_whose_boxes_their_masks_fill(name):
    model = built(name, "model.box.score=0.0", "model.box.detections=7").eval()
    nn.init.constant_(model.mask.score.bias, 1.0)
    sizes = [(82, 140), (20, 30)]
    with torch.no_grad():
        found = model(batch(1, 1)[0], sizes=sizes)
    assert isinstance(model, Detector)
    for objects, (height, width) in zip(found, sizes, strict=True):
        assert 0 < len(objects) <= 7
        assert objects.scores.equal(objects.scores.sort(descending=True).values)
        assert 0 <= objects.labels.min() <= objects.labels.max() < 3
        assert (objects.masks.dtype, objects.masks.shape[1:]) == (torch.bool, (height, width))
        for box, mask in zip(objects.boxes.long().tolist(), objects.masks, strict=True):
            rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
            assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("counts", [(0,), (0, 2), (0, 0)])
def test_images_without_objects_cost_what_is_finite(counts):
    model = built("mnc")
    terms = MaskRCNN().terms(model(*batch(*counts)))
    assert all(term.isfinite() for term in terms.values())
    if not any(counts):
        assert [terms[key].item() for key in ("rpn_box", "box", "mask")] == [0, 0, 0]
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_an_image_in_which_nothing_is_found_has_no_objects():
    with torch.no_grad():
        found = built("mnc", "model.box.score=1.0").eval()([torch.zeros(3, 33, 40)])[0]
    assert (len(found), found.masks.shape) == (0, (0, 33, 40))


def test_it_runs_under_autocast_with_masks_in_full_precision():
    model, (images, targets) = built("mnc", "model.box.score=0.0"), batch(2, 0)
    with torch.autocast("cpu", torch.bfloat16):
        terms = model(images, targets)
        with torch.no_grad():
            objects = model.eval()(images)[0]
    assert terms["mask"][0].dtype == objects.scores.dtype == torch.float32
    assert all(term.isfinite() for term in MaskRCNN().terms(terms).values())


def _reached(name: str) -> dict[str, bool]:
    """Which corrections of boxes the masks' loss alone has a gradient for."""
    model = built(name, "model.box.foreground=0.1", "model.box.background=0.1")
    MaskRCNN().terms(model(*batch(3, 2)))["mask"].backward()
    layers = {"rpn": model.rpn.head.bbox_pred, "third": model.box.box_predictor.bbox_pred}
    return {key: layer.weight.grad is not None and bool(layer.weight.grad.any()) for key, layer in layers.items()}


def test_a_loss_of_masks_corrects_the_boxes_that_they_are_drawn_in():
    """In five stages both corrections, in three the first stage's alone; RoIAlign stops either."""
    assert _reached("mnc") == {"rpn": True, "third": True}
    assert _reached("three") == {"rpn": True, "third": False}
    assert _reached("align") == {"rpn": False, "third": False}


def test_two_more_stages_learn_from_more_masks_with_the_same_weights():
    five, three = built("mnc"), built("three")
    assert {k: v.shape for k, v in five.state_dict().items()} == {k: v.shape for k, v in three.state_dict().items()}
    torch.manual_seed(1)
    more = five(*batch(3, 2))["mask"][0]
    torch.manual_seed(1)
    fewer = three(*batch(3, 2))["mask"][0]
    torch.testing.assert_close(more[: len(fewer)], fewer)
    assert len(more) >= len(fewer) + 5  # the objects' own boxes are learned from in either round


def test_the_second_pathway_sees_features_times_mask():
    model, (images, _) = built("mnc").eval(), batch(1)
    seen = []
    model.box.register_forward_pre_hook(lambda _, given: seen.append(given))
    nn.init.zeros_(model.mask.score.weight)
    for bias, share in ((0.0, 0.5), (-99.0, 0.0), (99.0, 1.0)):
        nn.init.constant_(model.mask.score.bias, bias)
        with torch.no_grad():
            model(images)
        cells, masked = seen[-1]
        assert cells.shape[2:] == (14, 14)
        torch.testing.assert_close(masked, cells * share)


def test_the_best_class_of_the_mask_moves_the_box():
    model = built("mnc")
    boxes = [torch.tensor([[10.0, 10, 20, 30]]), torch.tensor([[0.0, 0, 10, 10]])]
    said = model._said(model.neck(model.backbone(torch.rand(2, 3, 64, 64))), boxes)
    deltas = torch.zeros(2, 4, 4)
    deltas[0, 2], deltas[1, 1] = torch.tensor([1.0, 0, 0, 0]), torch.tensor([-5.0, 0, 0, 0])  # weighed by 10 and 5
    region = torch.tensor([[9.0, 0, 1, 0], [0, 1, 0, 0]])  # background is never best
    moved = model._moved(said._replace(deltas=deltas.flatten(1), region=region), boxes, [(64, 64)] * 2)
    torch.testing.assert_close(moved, [torch.tensor([[11.0, 10, 21, 30]]), torch.tensor([[0.0, 0, 5, 10]])])


def test_a_mask_that_misses_its_object_is_background_to_the_second_classification():
    model, (images, targets) = built("mnc", "model.stages=3"), batch(2)
    nn.init.zeros_(model.mask.score.weight)
    learned = []
    priced = nn.functional.cross_entropy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("src.model.mnc.F.cross_entropy", lambda x, y: learned.append(y) or priced(x, y))
        for bias in (-99.0, 99.0):
            nn.init.constant_(model.mask.score.bias, bias)
            torch.manual_seed(0)
            model(images, targets)
    missed, met = learned[1::2]  # torchvision's classification of the boxes comes before either
    assert not missed.any()
    assert met.any()


def test_a_dataset_without_masks_is_told_what_to_take():
    images, targets = batch(1)
    with pytest.raises(ValueError, match=r"the dataset has no masks, .* take model=faster_rcnn"):
        built("mnc")(images, [replace(targets[0], masks=None)])


CONVS = 14_714_688  # VGG16's thirteen
RPN = (9 * 512 * 512 + 512) + 5 * (9 * 512 + 9)  # nine anchors, a score and four numbers for each
MASK = (14 * 14 * 512 * 256 + 256) + (256 * 441 + 441)
PATHWAYS = 240_124_030  # see test_pathways.py
STAGE5 = 14_942_208  # of ResNet-101, its norms frozen
C4 = 42_394_816 - STAGE5  # all that is convolution, without the fifth stage
RPN_C4 = (9 * 1024 * 1024 + 1024) + 5 * (9 * 1024 + 9)
MASK_C4 = (14 * 14 * 1024 * 256 + 256) + (256 * 441 + 441)
LAST = 2 * (4096 * 81 + 81) + (4096 * 324 + 324)  # 2,048 of each pathway


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [
        ("mnc_vgg16", 20, CONVS + RPN + MASK + PATHWAYS),
        ("mnc_resnet101", 80, C4 + RPN_C4 + MASK_C4 + 2 * STAGE5 + LAST),
    ],
)
def test_the_presets_have_the_papers_layers(name, classes, count):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}"])
    with torch.device("meta"):
        model = instantiate(config.model, _convert_="all")(in_channels=3, out_channels=classes)
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    assert (model.cuts["box"].size, model.cuts["box"].sampling) == (14, 2)
    assert model.rpn.anchor_generator.num_anchors_per_location() == [9]


def test_vgg16s_first_anchors_are_py_faster_rcnns():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=["+model=mnc_vgg16", "model.backbone.width=1", "model.box.width=1"])
    model = instantiate(config.model, _convert_="all")(in_channels=3, out_channels=1)
    edges = model.rpn.anchor_generator.cell_anchors[0][0]
    assert [round(float(edge)) for edge in edges] == [-84, -40, 100, 56]  # theirs, -83 -39 100 56, count pixels from 1
