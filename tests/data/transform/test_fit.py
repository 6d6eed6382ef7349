from dataclasses import replace

import cv2
import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as f

from src.data.sample import Instances, Sample
from src.data.transform import Fit
from src.data.transform.fit import resized


def sample(camera: Tensor | None = None) -> Sample:
    torch.manual_seed(0)
    image = tv_tensors.Image(torch.randint(0, 256, (3, 12, 16), dtype=torch.uint8))
    mask = tv_tensors.Mask(torch.arange(12 * 16, dtype=torch.uint8).reshape(12, 16))
    return Sample(image=image, mask=mask, camera=camera, name="a", size=(12, 16))


def test_the_image_changes_its_size_and_the_targets_do_not():
    fitted = Fit((6, 8))(sample())
    assert fitted.image.shape == (3, 6, 8)
    assert isinstance(fitted.image, tv_tensors.Image)
    assert torch.equal(fitted.mask, sample().mask)
    assert fitted.size == (12, 16)


def test_objects_keep_the_size_of_the_file():
    objects = Instances(torch.tensor([[0.0, 0.0, 16.0, 12.0]]), torch.zeros(1).long(), torch.ones(1, 12, 16))
    assert Fit((6, 8))(replace(sample(), instances=objects)).instances is objects


def test_no_size_leaves_the_sample_alone():
    untouched = sample()
    assert Fit(None)(untouched) is untouched


def test_the_camera_goes_with_the_image():
    camera = torch.tensor([[10.0, 0.0, 7.5], [0.0, 10.0, 5.5], [0.0, 0.0, 1.0]])  # the middle of 12 × 16
    fitted = Fit((24, 48))(sample(camera)).camera
    torch.testing.assert_close(fitted, torch.tensor([[30.0, 0.0, 23.5], [0.0, 20.0, 11.5], [0.0, 0.0, 1.0]]))


@pytest.mark.parametrize("size", [(3, 4), (6, 16), (12, 16), (13, 17), (24, 20), (36, 48), (100, 3)])
def test_uint8_equals_torchvision_within_one_grey_level(size):
    image = sample().image.as_subclass(Tensor)
    expected = f.resize_image(image, list(size), antialias=True)
    assert (resized(image, size).int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (5, 1), (20, 1), (1, 20)])
def test_bytes_one_pixel_wide_are_right_where_torch_is_not(size):
    image = sample().image.as_subclass(Tensor)
    expected = f.resize_image(image.double(), list(size), antialias=True)
    assert (resized(image, size) - expected).abs().max() <= 1


@pytest.mark.parametrize("dtype", [torch.uint16, torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(6, 8), (24, 20)])
def test_other_types_keep_their_type_and_precision(dtype, size):
    values = torch.randint(0, 65536, (5, 12, 16), generator=torch.Generator().manual_seed(0))
    result = resized(values.to(dtype), size)
    assert result.dtype == dtype
    expected = f.resize_image(values.double(), list(size), antialias=True)
    assert (result.double() - expected).abs().max() <= (0.6 if dtype == torch.uint16 else 0.1)


def test_opencv_spawns_no_threads():
    assert cv2.getNumThreads() == 1


@pytest.mark.parametrize("size", [(0, 4), (4,), (4, 4, 4)])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match=r"^size=\[.*\] is no size"):
        Fit(size)
