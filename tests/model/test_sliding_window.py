"""The sliding window: one by one and all at once give the same, in the right place; training asks for one score."""

import pytest
import torch

from src.model.sliding_window import SlidingWindow


def small(patch=11, widths=(4, 6), **options):
    torch.manual_seed(0)
    network = SlidingWindow(patch, widths, 8, in_channels=3, out_channels=3, **options)
    with torch.no_grad():
        for buffer in network.norms.buffers():  # statistics that are not 0 and 1
            if buffer.is_floating_point():
                buffer.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize(("patch", "widths"), [(5, [4]), (11, [4, 6]), (13, [4, 6]), (15, [4, 6]), (33, [4, 6, 6])])
@pytest.mark.parametrize("size", [(9, 14), (1, 1), (2, 40)])
def test_dense_and_one_by_one_are_the_same(patch, widths, size):
    network, image = small(patch, widths, window_batch=50), torch.rand(2, 3, *size)
    with torch.no_grad():
        dense = network(image)
        network.dense = False
        single = network(image)
    assert dense.std() > 1e-3
    torch.testing.assert_close(dense, single, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dense", [True, False])
def test_each_pixel_is_answered_from_the_patch_around_it(dense):
    network, image = small(dense=dense), torch.rand(2, 3, 20, 24)
    with torch.no_grad():
        answer = network(image)
        for y, x in [(5, 5), (5, 18), (14, 6), (9, 12)]:
            patches = image[..., y - 5 : y + 6, x - 5 : x + 6]
            torch.testing.assert_close(answer[..., y, x], network.classify(patches), rtol=0, atol=1e-4)
        corner = torch.nn.functional.pad(image, (5, 5, 5, 5), mode="reflect")[..., :11, :11]
        torch.testing.assert_close(answer[..., 0, 0], network.classify(corner), rtol=0, atol=1e-4)


def test_training_on_a_patch_scores_its_centre():
    network, patches = small(dropout=0.0, norm=None).train(), torch.rand(4, 3, 11, 11)
    answer = network(patches)
    assert answer.shape == (4, 3, 11, 11)
    torch.testing.assert_close(answer[..., 5, 5], network.classify(patches))
    answer[..., 5, 5] = 0
    assert not answer.any()
    torch.testing.assert_close(network.eval()(patches)[..., 5, 5], network.classify(patches), rtol=0, atol=1e-4)


def test_training_on_whole_images_answers_everywhere():
    network = small(dense=False, dropout=0.0, norm=None)
    image = torch.rand(1, 3, 12, 17)
    expected = network(image)
    network._windows = None  # a loop would keep every patch for the backward
    torch.testing.assert_close(network.train()(image), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("patch", "widths"), [(12, [4, 6]), (9, [4, 6]), (3, [4]), (21, [4, 4, 4])])
def test_a_patch_without_centre_or_too_small_is_refused(patch, widths):
    least = {1: 5, 2: 11, 3: 23}[len(widths)]
    with pytest.raises(ValueError, match=rf"model.patch={patch}: an odd number, .* at least {least}"):
        small(patch, widths)
    small(least, widths)


def test_it_trains_on_patches_and_evaluates_images_either_way(run):
    import json

    from src.run.restore import restored

    small = ["model.patch=11", "model.widths=[4,6]", "model.fc_channels=8", "transform.patch=11"]
    folder = run("model=sliding_window", "transform=patch", "data.repeat=3", *small)
    found = json.loads((folder / "results.json").read_text())
    assert (found["status"], found["epochs"]) == ("finished", 1)
    task, config = restored(folder / "checkpoints" / "best.ckpt")
    assert config["data"]["repeat"] == 3
    network, image = task.model, torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        dense = network(image)
        network.dense = False
        torch.testing.assert_close(dense, network(image), rtol=0, atol=1e-4)
