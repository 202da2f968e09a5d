"""What a network is trained by and judged by: for each kind of task a loss, and an error in percent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import chainer.functions as F
import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Attributes:
        loss: What is minimised, given the network's output and the targets; `None` where the network reports its own.
        accuracy: What is reported beside the loss; `None`: nothing is.
        error: In percent, given the output and the targets of the validation set, both finite.
        chance: The error of the best constant prediction, given those targets.
    """

    loss: Callable[[Any, Any], Any] | None
    accuracy: Callable[[Any, Any], Any] | None
    error: Callable[[Array, Array], float]
    chance: Callable[[Array], float]


def wrong(prediction: Array, y: Array) -> float:
    """Wrong answers in percent; `prediction` has the classes in its second axis."""
    return float(100 * np.mean(prediction.argmax(axis=1) != y))


def wrong_at_best(y: Array) -> float:
    """The wrong answers of whoever always says the commonest class."""
    return float(100 * (1 - np.bincount(y.ravel()).max() / y.size))


def wrong_labels(prediction: Array, y: Array) -> float:
    """Wrong yes-or-no answers in percent; a positive output means yes."""
    return float(100 * np.mean((prediction > 0) != y))


def wrong_labels_at_best(y: Array) -> float:
    """The wrong answers of whoever says the same of every example."""
    share = y.mean(axis=0)
    return float(100 * np.minimum(share, 1 - share).mean())


def unexplained(prediction: Array, y: Array) -> float:
    """The mean squared error in percent of the target's variance, at most 100."""
    residual = np.mean((prediction.astype(np.float64) - y) ** 2)
    return float(min(100.0, 100 * residual / np.var(y, dtype=np.float64)))


def deviance(prediction: Array, y: Array) -> float:
    """Poisson's deviance of predicted logarithms, in percent of that of the mean count, at most 100."""
    mean = np.exp(np.minimum(prediction.astype(np.float64), 100))  # more is no number
    return float(min(100.0, 100 * _deviance(mean, y) / _deviance(np.mean(y, dtype=np.float64), y)))


def _deviance(mean: Any, y: Array) -> float:
    logarithm = np.log(np.maximum(y, 1)) - np.log(np.maximum(mean, 1e-30))  # of no count, 0 times it is 0
    return float(np.mean(y * logarithm - (y - mean)))


def unlikelihood(output: Any, y: Any) -> Any:
    """Poisson's negative log-likelihood of counts, given the predicted logarithms of their means, up to a constant."""
    return F.mean(F.exp(output) - y * output)


def _all(_: Array) -> float:
    return 100.0


KINDS = {
    'classification': Kind(F.softmax_cross_entropy, F.accuracy, wrong, wrong_at_best),
    'margin': Kind(F.hinge, F.accuracy, wrong, wrong_at_best),
    'labels': Kind(F.sigmoid_cross_entropy, F.binary_accuracy, wrong_labels, wrong_labels_at_best),
    'regression': Kind(F.mean_squared_error, None, unexplained, _all),
    'counts': Kind(unlikelihood, None, deviance, _all),
}
