"""The most probable class of every pixel."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from src.data.description import UNKNOWN

SCORES = 2**18  # in flight per thread: about what stays in the cache of one core
LONG = 64  # classes from which on numpy's argmax of a row of neighbours beats the comparison of planes


def labels(logits: Float[Tensor, " b k h w"]) -> UInt8[Tensor, " b h w"]:
    """The class with the largest logit, the first of equals, in the type that the scores count fastest.

    A pixel that has a NaN among its logits has no answer, 255, which is scored as wrong. On a CPU torch's argmax walks
    through the classes of one pixel after another; comparing whole planes of classes, some rows at a time, does the
    same several times faster in either memory format. k is at most 255.
    """
    logits = logits.detach()
    if logits.device.type != "cpu":
        best, leader = logits.max(1)
        return leader.byte().masked_fill_(best.isnan(), UNKNOWN)
    found = torch.empty(logits[:, 0].shape, dtype=torch.uint8)
    pieces = list(_pieces(logits, found))
    if len(pieces) > 1 and torch.get_num_threads() > 1:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            list(pool.map(_answer, *zip(*pieces, strict=True)))
    else:
        for rows, answer in pieces:
            _answer(rows, answer)
    return found


def _pieces(logits: Tensor, found: Tensor) -> Iterator[tuple[Tensor, np.ndarray]]:
    """A few rows of one image [k r w] at a time, and where their answer [r w] belongs."""
    _, classes, height, width = logits.shape
    step = max(1, SCORES // max(1, classes * width))
    for image, answer in zip(logits, found.numpy(), strict=True):
        for row in range(0, height, step):
            yield image[:, row : row + step], answer[row : row + step]


def _answer(rows: Tensor, answer: np.ndarray) -> None:
    # torch would start threads of its own for each of ours; numpy and OpenCV stay in theirs.
    if rows.stride(0) != 1:
        best = _first_planes(_single(_array(rows)).reshape(len(rows), -1))
    elif len(rows) > LONG:
        best = _first_rows(_single(_array(rows.permute(1, 2, 0))).reshape(-1, len(rows)))
    else:
        pixels = np.ascontiguousarray(_array(rows.permute(1, 2, 0))).reshape(-1, len(rows))
        best = _first_planes(_single(cv2.transpose(pixels)))
    answer[:] = best.reshape(answer.shape)


def _first_planes(planes: np.ndarray) -> np.ndarray:
    """[k n] -> [n]: the plane that holds the maximum; nothing is equal to a NaN."""
    ranks = np.arange(UNKNOWN, UNKNOWN - len(planes), -1, dtype=np.uint8)
    hits = (planes == planes.max(0)).view(np.uint8)
    hits *= ranks[:, None]
    return UNKNOWN - hits.max(0)


def _first_rows(pixels: np.ndarray) -> np.ndarray:
    """[n k] -> [n]: numpy's argmax takes a NaN for the maximum."""
    best = pixels.argmax(1)
    first = np.arange(0, pixels.size, pixels.shape[1])
    answer = best.astype(np.uint8)
    answer[np.isnan(pixels.reshape(-1)[first + best])] = UNKNOWN
    return answer


def _array(values: Tensor) -> np.ndarray:
    """numpy has no bfloat16: its bits stand for it."""
    return values.view(torch.uint16).numpy() if values.dtype == torch.bfloat16 else values.numpy()


def _single(values: np.ndarray) -> np.ndarray:
    """In single precision at least; the bits of a bfloat16 are the upper half of a float's."""
    if values.dtype == np.uint16:
        return np.left_shift(values, 16, dtype=np.uint32).view(np.float32)
    return values.astype(np.float32) if values.dtype == np.float16 else values
