"""SegNet-Basic's encoder: its input's normalisation, and what it publishes."""

import torch

from src.model.backbone.segnet_basic import SegnetBasic


def test_the_images_bytes_are_normalised_over_their_channels():
    backbone, image = SegnetBasic(4, in_channels=3).eval(), torch.rand(1, 3, 2, 2)
    colour = 255 * image[0, :, 0, 0]
    seen = colour / (1 + 1e-4 / 5 * colour.square().sum()) ** 0.75  # five channels around each are all three
    first = []
    backbone.stages[0][0].register_forward_hook(lambda layer, inputs, output: first.append(inputs[0]))
    backbone(image)
    torch.testing.assert_close(first[0][0, :, 0, 0], seen)


def test_features_and_pools_are_published():
    backbone = SegnetBasic(4, in_channels=3).eval()
    image = torch.rand(1, 3, 45, 60)
    features, pools = backbone.pooled(image)
    assert (backbone.channels, backbone.reductions) == ([4] * 5, [1, 2, 4, 8, 16])
    assert [f.shape[2:] for f in features] == [(45, 60), (23, 30), (12, 15), (6, 8), (3, 4)]
    assert sorted(pools) == [1, 2, 4, 8]
    assert all(torch.equal(ours, plain) for ours, plain in zip(features, backbone(image), strict=True))
