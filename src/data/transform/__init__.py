"""From a sample as the dataset holds it to what the network sees: `Augment` in training, `Fit` in evaluation."""

from src.data.transform.augment import Augment
from src.data.transform.fit import Fit

__all__ = ["Augment", "Fit"]
