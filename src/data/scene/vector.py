"""Products of many vectors at once, on one thread: BLAS would start more, and loader processes would fight for them."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray


def dot(a: Float32[ndarray, "c n"], b: Float32[ndarray, "c n"]) -> Float32[ndarray, " n"]:
    """a · b for each of n pairs."""
    return np.einsum("cn,cn->n", a, b)


def length(a: Float32[ndarray, "c n"]) -> Float32[ndarray, " n"]:
    """|a| of each of n vectors."""
    return np.sqrt(dot(a, a))


def times(matrix: Float32[ndarray, "k c"], a: Float32[ndarray, "c n"]) -> Float32[ndarray, "k n"]:
    """The matrix times each of n vectors."""
    product = np.empty((len(matrix), a.shape[1]), np.float32)
    step = 2**17 // matrix.size  # products as small as this stay on one thread
    for start in range(0, a.shape[1], step):
        block = slice(start, start + step)
        np.matmul(matrix, a[:, block], out=product[:, block])
    return product
