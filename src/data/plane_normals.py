"""Surface normals of a depth map: around each pixel the plane that fits best, by least squares in inverse depth.

The inverse depth of a plane is linear in the pixel's coordinates, so that the fit is linear and needs no point cloud;
it is also what stereo and structured light measure, with much the same error near and far.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize, pad


def plane_normals(
    depth: Float[Tensor, "1 h w"],
    camera: Float[Tensor, "3 3"],
    window: int = 5,
    jump: float | int = 0.1,
    rough: float | int = 0.005,
) -> Float[Tensor, "3 h w"]:
    """Unit normals towards the camera (x right, y down, z forward), 0 where they are unknown.

    Unknown they are where the depth is, where less than half of the window belongs to the pixel's surface (at edges and
    holes), and where that is not flat.

    Args:
        depth: metres along the optical axis, 0 unknown.
        camera: intrinsics, see `src.data.camera`.
        window: pixels across, odd.
        jump: a neighbour whose inverse depth differs by more, relative to the pixel's own, is of another surface.
        rough: root mean square of the residuals, relative likewise, above which a surface is not flat: at a crease, or
            where the window is too small for the noise.

    Raises:
        ValueError: a window that is even or below 3.
    """
    if window < 3 or window % 2 == 0:
        raise ValueError(f"a window of {window} pixels: an odd number of 3 or more, for a plane is fitted around one")
    inverse = torch.where(depth[0] > 0, 1 / depth[0], 0.0)
    sums = _Sums.of(inverse, window // 2, jump)
    across, down, here, left = sums.plane()
    y, x = torch.meshgrid(*(torch.arange(float(length)) for length in inverse.shape), indexing="ij")
    gradient = torch.stack([across, down, here - across * x - down * y])
    normals = -normalize(torch.einsum("ji,jhw->ihw", camera, gradient), dim=0)
    known = (inverse > 0) & (2 * sums.one >= window**2) & (left <= rough**2)
    return torch.where(known, normals, 0.0)


@dataclass
class _Sums:
    """Over the neighbours of each pixel that belong to its surface: their offsets x and y, and z, their inverse depth.

    z is relative to the pixel's own, less 1.
    """

    one: Tensor
    x: Tensor
    y: Tensor
    xx: Tensor
    xy: Tensor
    yy: Tensor
    z: Tensor
    xz: Tensor
    yz: Tensor
    zz: Tensor

    @classmethod
    def of(cls, inverse: Float[Tensor, "h w"], reach: int, jump: float) -> "_Sums":
        """Up to `reach` pixels to each side."""
        height, width = inverse.shape
        padded = pad(inverse, [reach] * 4)
        own = 1 / inverse.clamp(min=1e-6)
        sums = cls(*torch.zeros(10, height, width))
        for row in range(2 * reach + 1):
            one, x, xx, z, xz = torch.zeros(5, height, width)
            for column in range(2 * reach + 1):
                other = padded[row : row + height, column : column + width] * own - 1
                near = (other.abs() <= jump).float()  # what is unknown lies at -1
                other *= near
                one += near
                x.add_(near, alpha=column - reach)
                xx.add_(near, alpha=(column - reach) ** 2)
                z += other
                xz.add_(other, alpha=column - reach)
                sums.zz.addcmul_(other, other)
            sums._add(row - reach, one, x, xx, z, xz)
        return sums

    def _add(self, y: int, one: Tensor, x: Tensor, xx: Tensor, z: Tensor, xz: Tensor) -> None:
        """A row of neighbours."""
        for total, part in ((self.one, one), (self.x, x), (self.xx, xx), (self.z, z), (self.xz, xz)):
            total += part
        for total, part in ((self.y, one), (self.xy, x), (self.yz, z)):
            total.add_(part, alpha=y)
        self.yy.add_(one, alpha=y**2)

    def plane(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """z + 1 as a linear function of x and y: both slopes, the value here, and the mean square of what is left."""
        one = self.one.clamp(min=1)
        x, y, z = self.x / one, self.y / one, self.z / one
        xx, xy, yy = self.xx / one - x * x, self.xy / one - x * y, self.yy / one - y * y
        xz, yz, zz = self.xz / one - x * z, self.yz / one - y * z, self.zz / one - z * z
        scale = 1 / (xx * yy - xy * xy).clamp(min=1e-6)
        across, down = (yy * xz - xy * yz) * scale, (xx * yz - xy * xz) * scale
        return across, down, 1 + z - across * x - down * y, (zz - across * xz - down * yz).clamp(min=0)
