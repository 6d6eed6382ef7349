"""Dense fields as tensor types of torchvision.transforms.v2: how geometry acts on each, and what unknown looks like."""

from torchvision import tv_tensors


class Depth(tv_tensors.TVTensor):
    """[1 h w] metres along the optical axis, 0 unknown."""


class Normals(tv_tensors.TVTensor):
    """[3 h w] unit vectors in the camera frame (x right, y down, z forward), 0 unknown."""
