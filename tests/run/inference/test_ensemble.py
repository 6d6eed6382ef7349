import pytest
import torch
from torch.nn import functional as F

from src.run.inference.ensemble import Ensemble


@pytest.fixture
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, 3, 10, 12), dtype=torch.uint8, generator=generator)


def test_a_single_view_is_the_networks_own_logits(member, images):
    one = member(kernel=3)
    expected = one.task.model(images.float() / 255)
    assert torch.equal(Ensemble([one])(images, (10, 12)), expected)
    assert torch.equal(Ensemble([one]).answer(expected), expected.argmax(1))


def test_the_network_sees_the_size_it_was_trained_for(member, images):
    one = member(size=(5, 6))
    seen = F.interpolate(images, (5, 6), mode="bilinear", antialias=True).float() / 255
    expected = F.interpolate(one.task.model(seen), (10, 12), mode="bilinear")
    torch.testing.assert_close(Ensemble([one])(images, (10, 12)), expected)


def test_mirroring_changes_nothing_for_a_symmetric_network(member, images):
    plain, mirrored = Ensemble([member()]), Ensemble([member()], mirror=True)
    expected = plain.probabilities(plain(images, (10, 12)))
    torch.testing.assert_close(mirrored.probabilities(mirrored(images, (10, 12))), expected)


def test_mirroring_averages_probabilities_of_both_views(member, images):
    one = member(kernel=3)
    net = lambda image: one.task.model(image.float() / 255).softmax(1)  # noqa: E731
    expected = (net(images) + net(images.flip(-1)).flip(-1)) / 2
    both = Ensemble([one], mirror=True)
    torch.testing.assert_close(both.probabilities(both(images, (10, 12))), expected)
    assert not torch.allclose(net(images), expected)


def test_scales_change_nothing_where_scale_means_nothing(member):
    flat = torch.full((1, 3, 10, 12), 90, dtype=torch.uint8)
    plain, scaled = Ensemble([member()]), Ensemble([member()], scales=[0.5, 1, 1.5])
    expected = plain.probabilities(plain(flat, (10, 12)))
    torch.testing.assert_close(scaled.probabilities(scaled(flat, (10, 12))), expected)


def test_scales_are_of_the_image_that_the_network_sees(member, images):
    one, seen = member(size=(8, 10)), []
    one.task.model.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape[-2:])))
    Ensemble([one], scales=[0.5, 1, 1.5])(images, (10, 12))
    assert seen == [(4, 5), (8, 10), (12, 15)]


def test_checkpoints_have_their_probabilities_averaged(member, images):
    members = [member(seed=seed) for seed in (0, 1)]
    expected = sum(one.task.model(images.float() / 255).softmax(1) for one in members) / 2
    several = Ensemble(members)
    torch.testing.assert_close(several.probabilities(several(images, (10, 12))), expected)


def test_overlapping_masks_are_averaged_per_class_and_cut_at_the_threshold(member, images):
    members = [member(seed=seed, multilabel=True) for seed in (0, 1, 2)]
    expected = sum(one.task.model(images.float() / 255).sigmoid() for one in members) / 3
    several = Ensemble(members)
    logits = several(images, (10, 12))
    torch.testing.assert_close(several.probabilities(logits), expected)
    assert torch.equal(several.answer(logits), (expected > 0.5).byte())


def votes(maps: torch.Tensor, k: int) -> torch.Tensor:
    """[v b h w] class maps -> [b k h w], how many are for each class."""
    return torch.stack([(maps == index).sum(0) for index in range(k)], 1)


def together(ensemble: Ensemble, images: torch.Tensor) -> torch.Tensor:
    return ensemble.probabilities(ensemble(images, (10, 12)))


@pytest.fixture
def parts(member, images) -> tuple[list, torch.Tensor]:
    """Four members, and what each of them says by itself, [v b k h w]."""
    members = [member(seed=seed, kernel=3) for seed in range(4)]
    return members, torch.stack([one.task.model(images.float() / 255).softmax(1) for one in members])


def test_a_product_is_renormalised(parts, images):
    members, each = parts
    expected = each.prod(0) / each.prod(0).sum(1, keepdim=True)
    torch.testing.assert_close(together(Ensemble(members, combine="product"), images), expected)


def test_the_largest_probability_of_each_class_is_renormalised(parts, images):
    members, each = parts
    expected = each.amax(0) / each.amax(0).sum(1, keepdim=True)
    torch.testing.assert_close(together(Ensemble(members, combine="max"), images), expected)


def test_the_majority_decides_and_the_sum_of_probabilities_between_equals(parts, images):
    members, each = parts
    several = Ensemble(members, combine="vote")
    answer = several.answer(several(images, (10, 12))).long()
    count, total = votes(each.argmax(2), 3), each.sum(0)
    assert torch.equal(count.gather(1, answer[:, None]), count.amax(1, keepdim=True))
    tied = count == count.amax(1, keepdim=True)
    assert (tied.sum(1) > 1).any()
    assert (count.argmax(1) != total.argmax(1)).any()  # a vote is no mean
    assert torch.equal(answer, total.masked_fill(~tied, -1).argmax(1))


def test_a_product_of_certainties_that_exclude_each_other_is_a_number(member, images):
    sure = [member(seed=seed) for seed in (0, 1)]
    for index, one in enumerate(sure):
        one.task.model.weight.zero_()
        one.task.model.bias.copy_(torch.eye(3)[index] * 1e4)
    assert together(Ensemble(sure, combine="product", mirror=True), images).isfinite().all()


def test_a_network_without_an_answer_leaves_none(parts, images):
    members, _ = parts
    members[1].task.model.bias[0] = torch.nan
    for combine in ("mean", "product", "max", "vote"):
        several = Ensemble(members, combine=combine)
        assert (several.answer(several(images, (10, 12))) == 255).all(), combine


def test_mirroring_is_averaged_within_a_member_whatever_the_rule(parts, images):
    members, each = parts
    turned = torch.stack([one.task.model(images.flip(-1).float() / 255).softmax(1).flip(-1) for one in members])
    expected = ((each + turned) / 2).prod(0)
    found = together(Ensemble(members, mirror=True, combine="product"), images)
    torch.testing.assert_close(found, expected / expected.sum(1, keepdim=True))


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_overlapping_masks_are_combined_as_yes_and_no_per_class(member, images, threshold):
    members = [member(seed=seed, multilabel=True) for seed in (0, 1, 2)]
    members[0].task.threshold = threshold
    each = torch.stack([one.task.model(images.float() / 255).sigmoid() for one in members])
    yes, no = each.prod(0), (1 - each).prod(0)
    torch.testing.assert_close(together(Ensemble(members, combine="product"), images), yes / (yes + no))
    yes, no = each.amax(0), (1 - each).amax(0)
    torch.testing.assert_close(together(Ensemble(members, combine="max"), images), yes / (yes + no))
    several = Ensemble(members, combine="vote")
    majority = (each > threshold).sum(0) >= 2
    assert torch.equal(several.answer(several(images, (10, 12))), majority.byte())


def test_another_rule_is_refused(member):
    with pytest.raises(ValueError, match="combine=median: say one of mean, product, max, vote"):
        Ensemble([member()], combine="median")


@pytest.mark.parametrize("scales", [[], [0.0], [1.0, -1.0], [float("nan")]])
def test_senseless_scales_are_refused(member, scales):
    with pytest.raises(ValueError, match="scales="):
        Ensemble([member()], scales=scales)


def test_checkpoints_of_different_data_are_refused(member):
    with pytest.raises(ValueError, match="number 1 was made for channels 3, number 2 for 1"):
        Ensemble([member(), member(channels=1)])
