"""The metrics of a training: how they are called in curves and logs, and in words.

The names are those that Chainer's reporter gives to a model wrapped in ``L.Classifier`` and to an ``Evaluator``.
"""

from __future__ import annotations

LOSS = 'main/loss'
ACCURACY = 'main/accuracy'
VALIDATION_LOSS = 'validation/main/loss'
VALIDATION_ACCURACY = 'validation/main/accuracy'

METRICS = (LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION_ACCURACY)
LOSSES = (LOSS, VALIDATION_LOSS)
ACCURACIES = (ACCURACY, VALIDATION_ACCURACY)
VALIDATION = (VALIDATION_LOSS, VALIDATION_ACCURACY)
# What says most about a trained model comes first.
BY_WORTH = (VALIDATION_ACCURACY, VALIDATION_LOSS, ACCURACY, LOSS)

WORDS = {
    LOSS: 'training loss',
    ACCURACY: 'training accuracy',
    VALIDATION_LOSS: 'validation loss',
    VALIDATION_ACCURACY: 'validation accuracy',
}


def cost_sign(metric: str) -> float:
    """The factor that makes a metric a cost, of which less is better: -1 for an accuracy, 1 for a loss.

    >>> cost_sign(ACCURACY), cost_sign(LOSS)
    (-1.0, 1.0)
    """
    return -1.0 if metric in ACCURACIES else 1.0
