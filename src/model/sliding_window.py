"""The sliding window: a classifier of a patch's centre pixel, asked at every pixel (as Ciresan et al., 2012)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Norm
from src.model.mirrored import mirrored
from src.model.normalize import Normalize


class SlidingWindow(nn.Module):
    """Unpadded 3×3 convolutions, each pooled by 2, then two fully connected layers: what a patch's centre pixel is.

    In training on patches (`transform=patch`) there is one score, at the centre, and zeros around it, where the mask is
    unknown. Everything else gets an answer at each pixel, from the patch around it, the image mirrored at its border.

    `dense` asks all patches at once and computes what they share once: a pooling moves by single cells, what follows it
    looks at every second one (Giusti et al., 2013), and a matrix becomes a filter (Long et al., 2015). The weights, and
    but for rounding the scores, are the same. Without it the patches go through the classifier one by one; a training
    on whole images is dense in either case.

    Args:
        patch: height and width of what is looked at, odd.
        widths: channels of each convolution, which a pooling follows.
        fc_channels: of the hidden fully connected layer.
        dropout: share of that layer dropped in training.
        norm: after each convolution.
        dense: whether the answer to an image is computed at once.
        window_batch: patches that go through the classifier side by side where it is not.

    Raises:
        ValueError: the patch is even, or too small for so many poolings.
    """

    def __init__(
        self,
        patch: int = 33,
        widths: Sequence[int] = (32, 64, 64),
        fc_channels: int = 128,
        dropout: float = 0.5,
        norm: Norm | None = nn.BatchNorm2d,
        dense: bool = True,
        window_batch: int = 1024,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.patch, self.dense, self.window_batch = patch, dense, window_batch
        self.size = _left(patch, len(widths))  # of the map that the fully connected layers see
        self.normalize = Normalize(in_channels)
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for narrow, wide in zip([in_channels, *widths], widths, strict=False):
            self.convs.append(nn.Conv2d(narrow, wide, kernel_size=3, bias=norm is None))
            self.norms.append(nn.Identity() if norm is None else norm(wide))
        self.fc = nn.Linear(widths[-1] * self.size**2, fc_channels)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(fc_channels, out_channels)
        for layer in (*self.convs, self.fc):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        height, width = image.shape[-2:]
        around = self.patch // 2
        if self.training and height == width == self.patch:
            return F.pad(self.classify(image)[..., None, None], [around] * 4)
        rows, columns = (mirrored(n, around, n + 2 * around, image.device) for n in (height, width))
        extended = image[..., rows, :][..., columns]
        if self.dense or self.training:
            return self.slide(extended)[..., :height, :width]
        return self._windows(extended)

    def classify(self, patches: Float[Tensor, "n c p p"]) -> Float[Tensor, "n k"]:
        """Patches in [0, 1] -> the scores of their centre pixels."""
        x = self.normalize(patches)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.max_pool2d(F.relu(norm(conv(x))), 2)
        return self.score(self.dropout(F.relu(self.fc(x.flatten(1)))))

    def slide(self, image: Float[Tensor, "b c i j"]) -> Float[Tensor, "b k m n"]:
        """Image in [0, 1] -> at (y, x) the scores of the patch that begins there, computed once for all patches.

        The last few rows and columns belong to patches that reach over the end, as far as pooling would not look.
        """
        x, step = self.normalize(image), 1
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(F.conv2d(x, conv.weight, conv.bias, dilation=step)))
            x = F.max_pool2d(x, 2, stride=1, dilation=step)
            step *= 2
        filters = self.fc.weight.unflatten(1, (-1, self.size, self.size))
        x = self.dropout(F.relu(F.conv2d(x, filters, self.fc.bias, dilation=step)))
        return F.conv2d(x, self.score.weight[..., None, None], self.score.bias)

    def _windows(self, image: Tensor) -> Tensor:
        """The same one patch after the other, `window_batch` of them at a time."""
        windows = image.unfold(2, self.patch, 1).unfold(3, self.patch, 1)  # a view: [b c h w p p]
        batch, _, height, width = windows.shape[:4]
        places = torch.cartesian_prod(*(torch.arange(n, device=image.device) for n in (batch, height, width)))
        scores = [
            self.classify(windows[b, :, y, x]) for b, y, x in (p.unbind(1) for p in places.split(self.window_batch))
        ]
        return torch.cat(scores).view(batch, height, width, -1).permute(0, 3, 1, 2)


def _left(patch: int, poolings: int) -> int:
    size = patch
    for _ in range(poolings):
        size = (size - 2) // 2
    if patch % 2 == 0 or size < 1:
        least = 3 * 2**poolings - 1  # 2 more and doubled for each pooling, and odd
        raise ValueError(f"model.patch={patch}: an odd number, for it has a centre, and at least {least} of them here")
    return size
