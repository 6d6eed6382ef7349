"""Cross entropy that weighs the gaps between objects more, by U-Net's weight map (Ronneberger et al., 2015)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Integer
from scipy import ndimage
from torch import Tensor

from src.data.description import UNKNOWN
from src.loss.class_weights import inverse
from src.loss.nll import check_choice, reduced, softmax_nll
from src.loss.target import exclusive
from src.loss.total import total
from src.loss.weighted_cross_entropy import WeightedCrossEntropy
