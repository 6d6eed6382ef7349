"""What of a scene's objects is seen in a picture."""

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torchvision import tv_tensors

from src.data.box import box
from src.data.people import KEYPOINTS
from src.data.sample import Instances
from src.data.scene.camera import Camera
from src.data.scene.figure import Figure
from src.data.scene.scene import Scene
from src.data.scene.sight import sight

_SMALLEST = 1000  # such objects would fill the picture; what is smaller is in the mask alone


def objects(
    scene: Scene, camera: Camera, surface: Int[ndarray, "h w"], classes: Int[ndarray, " k"], people: bool
) -> Instances:
    """The visible parts of the solids, with the boxes around them.

    Args:
        surface: index of the surface that each pixel shows, as of `Hits`.
        classes: of each surface.
        people: whether objects have keypoints, all of them 0 for those that are no people.
    """
    indices, areas = np.unique(surface, return_counts=True)
    seen = indices[(indices >= len(scene.planes)) & (areas >= surface.size / _SMALLEST)]
    masks = surface == seen[:, None, None]
    boxes = np.array([box(mask) for mask in masks], np.float32).reshape(-1, 4)
    keypoints = np.zeros((len(seen), len(KEYPOINTS), 3), np.float32)
    bodies = np.array([isinstance(scene.surfaces[index], Figure) for index in seen], bool)
    if bodies.any():
        keypoints[bodies] = sight(scene, camera, seen[bodies], surface.shape)
    return Instances(
        boxes=tv_tensors.BoundingBoxes(torch.from_numpy(boxes), format="XYXY", canvas_size=surface.shape),
        labels=torch.from_numpy(classes[seen]),
        masks=tv_tensors.Mask(torch.from_numpy(masks)),
        keypoints=torch.from_numpy(keypoints) if people else None,
    )
