"""SDS: regions are given to two pathways, and drawn by hypercolumns."""

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

SMALL = ["model.neck.width=8", "model.box.width=8", "model.mask.width=8", "model.refine.size=14"]
FEW = ["model.rpn.after_nms=[20,20]", "model.box.samples=16", "model.rpn.foreground=0.3", "model.rpn.background=0.2"]
VARIANTS = {
    "sds": [],
    "agnostic": ["model.refine.class_agnostic=true", "model.refine.taps=null", "model.refine.places=3"],
    "vgg": ["model/backbone=vgg16", "model.backbone.width=2", "model/neck=single", "model.refine.taps=[4,8,16]"],
}


def built(name: str, *words: str) -> nn.Module:
    small = SMALL[1:] if name == "vgg" else SMALL
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=["+model=sds", *small, *FEW, *VARIANTS[name], *words])
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=3, out_channels=3).train()


def batch(*counts: int) -> tuple[list[Tensor], list[Instances]]:
    """Images of sizes that no stride divides, whose objects fill their boxes."""
    images, targets = [], []
    for i, count in enumerate(counts):
        generator, height, width = torch.Generator().manual_seed(i), 41 + 10 * i, 70 - 9 * i
        corner = (torch.rand(count, 2, generator=generator) * torch.tensor([width / 2, height / 2])).floor()
        boxes, masks = torch.cat([corner, corner + 20], 1), torch.zeros(count, height, width, dtype=torch.bool)
        for mask, (x0, y0, x1, y1) in zip(masks, boxes.long().tolist(), strict=True):
            mask[y0:y1, x0:x1] = True
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
    assert logits.shape[1:] == (14, 14)
    assert len(logits) % 2 == 0  # the region's mask and the refined one
    priced = MaskRCNN().terms(terms)
    assert all(term.isfinite() and term.ndim == 0 for term in priced.values())
    sum(priced.values()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize("name", VARIANTS)
def test_evaluation_gives_objects_at_the_sizes_that_are_asked_for(name):
    model = built(name, "model.box.score=0.0", "model.box.detections=7").eval()
    images, sizes = batch(1, 1)[0], [(82, 140), (20, 30)]
    with torch.no_grad():
        found, own = model(images, sizes=sizes), model(images)
    assert isinstance(model, Detector)
    for objects, at_own, image, (height, width) in zip(found, own, images, sizes, strict=True):
        assert len(objects) == 7
        assert objects.scores.equal(objects.scores.sort(descending=True).values)
        assert 0 <= objects.labels.min() <= objects.labels.max() < 3
        assert (objects.masks.dtype, objects.masks.shape) == (torch.bool, (7, height, width))
        stretch = torch.tensor([width / image.shape[2], height / image.shape[1]])
        torch.testing.assert_close(objects.boxes, at_own.boxes * stretch.repeat(2))


@pytest.mark.parametrize("counts", [(0,), (0, 2), (0, 0)])
def test_images_without_objects_cost_what_is_finite(counts):
    model = built("sds")
    terms = MaskRCNN().terms(model(*batch(*counts)))
    assert all(term.isfinite() for term in terms.values())
    if not any(counts):
        assert [terms[key].item() for key in ("rpn_box", "box", "mask")] == [0, 0, 0]
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_an_image_in_which_nothing_is_found_has_no_objects():
    with torch.no_grad():
        found = built("sds", "model.box.score=1.0").eval()([torch.zeros(3, 33, 40)])[0]
    assert (len(found), found.masks.shape) == (0, (0, 33, 40))


def test_the_second_pathway_sees_the_region_before_the_mean():
    model, (images, _) = built("sds").eval(), batch(1)
    nn.init.constant_(model.foreground.mean, 0.25)
    nn.init.zeros_(model.mask.score.weight)
    seen = []
    model.box.register_forward_pre_hook(lambda _, given: seen.append(given))
    with torch.no_grad():
        for bias in (-9.0, 9.0):
            nn.init.constant_(model.mask.score.bias, bias)
            model(images)
    (_, nothing), (cells, everything) = seen
    assert cells.shape[2:] == (14, 14)
    assert nothing.eq(0.25).all()
    assert everything.equal(cells)


def test_a_region_is_given_and_learns_nothing_from_what_is_made_of_it():
    model = built("sds")
    terms = MaskRCNN().terms(model(*batch(3, 2)))
    (terms["class"] + terms["box"]).backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in model.mask.parameters())
    assert all(parameter.grad is None for parameter in model.refine.parameters())
    terms["mask"].backward()
    assert all(parameter.grad.any() for parameter in (model.mask.score.bias, model.refine.hypercolumn.scores[0].bias))


def test_a_dataset_without_masks_is_told_what_to_take():
    images, targets = batch(1)
    with pytest.raises(ValueError, match=r"the dataset has no masks, .* take model=faster_rcnn"):
        built("sds")(images, [replace(targets[0], masks=None)])
