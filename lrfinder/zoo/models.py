"""Built-in models, and the user's own: from a name to a link that reports ``main/loss``.

When they are built, the built-in ones draw a seed for each layer from NumPy's global generator, and nothing
later: after ``numpy.random.seed(0)`` a model has the same parameters on every device, whatever happens before
its first batch.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder._names import MODEL_NAMES, suggest
from lrfinder.zoo.factory import call_factory, hint, is_factory, load_object

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np


def mlp(n_classes: int, hidden: Sequence[int] = (100,)) -> chainer.Link:
    """A multilayer perceptron with ReLU units.

    Args:
        n_classes: Number of classes (of outputs).
        hidden: Number of units of each hidden layer; none gives a linear model.

    Returns:
        A link from examples of any shape, float32 (batch, ...), to logits (batch, n_classes).

    >>> mlp(10, hidden=(50, 50))(np.zeros((2, 1, 8, 8), np.float32)).shape
    (2, 10)
    """
    layers: list[Any] = []
    for units in hidden:
        layers += [L.Linear(None, units, initialW=_He()), F.relu]
    return chainer.Sequential(*layers, L.Linear(None, n_classes, initialW=_He()))


def cnn(n_classes: int) -> chainer.Link:
    """A small convolutional network: three convolutions with batch normalization, and a mean.

    Args:
        n_classes: Number of classes (of outputs).

    Returns:
        A link from images, float32 (batch, channels, height, width), to logits (batch, n_classes).

    >>> cnn(10)(np.zeros((2, 1, 8, 8), np.float32)).shape
    (2, 10)
    """
    layers: list[Any] = [_check_images]
    for in_channels, out_channels, stride in (None, 16, 1), (16, 32, 2), (32, 64, 2):
        layers += [_convolution(in_channels, out_channels, stride), F.relu]
    return chainer.Sequential(*layers, _mean_over_image, L.Linear(64, n_classes, initialW=_He()))


def resnet(n_classes: int, depth: int = 8) -> chainer.Link:
    """The residual network of He et al. for small images; its shortcuts have no parameters (option A).

    A 3x3 convolution to 16 channels; three stages of n blocks of two 3x3 convolutions each, with 16, 32 and
    64 channels, of which the second and third halve the image; the mean over the image; a linear layer.
    ``depth`` counts the convolutions and the linear layer: 6 n + 2.

    Source: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", arXiv 1512.03385, section
    4.2; the initialization is that of arXiv 1502.01852.

    Args:
        n_classes: Number of classes (of outputs).
        depth: 8, 14, 20, 26, 32, ...; the paper has 20, 32, 44, 56 and 110 for images of 32 x 32. By default 8, which is
            enough for the embedded digits of 8 x 8.

    Returns:
        A link from images, float32 (batch, channels, height, width), to logits (batch, n_classes).

    Raises:
        ValueError: ``depth`` is not 6 n + 2.

    >>> resnet(10, depth=8)(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    """
    blocks, remainder = divmod(depth - 2, 6)
    if remainder or blocks < 1:
        raise ValueError(f'the depth of a resnet must be 6 n + 2 (8, 14, 20, 32, 44, 56, 110), not {depth}')
    layers: list[Any] = [_check_images, _convolution(None, 16), F.relu]
    for first_in, channels in (16, 16), (16, 32), (32, 64):
        layers.append(_Block(first_in, channels))
        layers += [_Block(channels, channels) for _ in range(blocks - 1)]
    return chainer.Sequential(*layers, _mean_over_image, L.Linear(64, n_classes, initialW=_He()))


MODELS: dict[str, Callable[..., chainer.Link]] = {'mlp': mlp, 'cnn': cnn, 'resnet': resnet}


def classifier(link: chainer.Link) -> chainer.Link:
    """Gives logits a loss: the link then reports ``main/loss`` (softmax cross entropy) and ``main/accuracy``.

    >>> model = classifier(mlp(10))
    >>> model(np.zeros((2, 64), np.float32), np.array([3, 7], np.int32)).shape
    ()
    """
    return L.Classifier(link)


def regressor(link: chainer.Link) -> chainer.Link:
    """Gives predictions a loss: the link then reports ``main/loss``, the mean squared error, and no accuracy.

    >>> model = regressor(mlp(1))
    >>> model(np.zeros((2, 64), np.float32), np.array([0.5, 1.5], np.float32)).shape
    ()
    """
    model = L.Classifier(link, lossfun=_squared_error)
    model.compute_accuracy = False
    return model


def load_model(spec: str, n_classes: int | None, n_targets: int | None = None) -> chainer.Link:
    """Builds the model that ``spec`` names, ready for ``optimizer.setup``: a batch gives a loss.

    A factory of the user's (a function or a class, named as ``module:factory``) is called with the number of
    outputs when it cannot be called without an argument, or has one named ``n_classes``; otherwise with
    nothing. The link that it returns is used as it is when it gives the loss itself, and otherwise wrapped in
    :func:`classifier` (:func:`regressor` for float targets). It gives the loss itself when

    1. it has an attribute ``reports_loss`` that is true (if that is false, it does not: the attribute
       decides); or
    2. it is an ``L.Classifier``; or
    3. its ``forward`` cannot be called with fewer than two arguments: the examples and their labels; or
    4. the data has neither labels nor float targets, so there is nothing to compare predictions with.

    Args:
        spec: ``mlp``, ``mlp:50,50`` (hidden units), ``cnn``, ``resnet``, ``resnet:56`` (depth), or
            ``module:factory``.
        n_classes: Number of classes; ``None`` where the data has no classes.
        n_targets: Number of float targets of an example, where the data has those.

    Raises:
        ValueError: There is no such model, module or factory; or the factory failed or returned something
            else than a link; or a built-in model has nothing to predict.

    >>> model = load_model('resnet:8', 10)
    >>> model(np.zeros((2, 1, 8, 8), np.float32), np.array([3, 7], np.int32)).shape
    ()
    """
    n_outputs = n_targets if n_classes is None else n_classes
    link = _from_factory(spec, n_outputs) if is_factory(spec) else _built_in(spec, n_outputs)
    if n_outputs is None or _gives_loss(link):
        return link
    return regressor(link) if n_classes is None else classifier(link)


class _He(chainer.Initializer):
    """He's initialization (arXiv 1502.01852) from a seed of its own, which is drawn when it is made.

    It keeps no state: a layer that learns its shape from the first batch gets the same values again when it
    is put back to what it was before that batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seed = np.random.randint(2**31 - 1)

    def __call__(self, array: Any) -> None:
        chainer.initializers.HeNormal(rng=np.random.RandomState(self._seed))(array)


class _Block(chainer.Chain):
    """Two 3x3 convolutions beside a shortcut; it halves the image when it doubles the channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self._stride = out_channels // in_channels
        self._new_channels = out_channels - in_channels
        with self.init_scope():
            self.first = _convolution(in_channels, out_channels, self._stride)
            self.second = _convolution(out_channels, out_channels)

    def forward(self, x: Any) -> Any:
        return F.relu(self.second(F.relu(self.first(x))) + self._shortcut(x))

    def _shortcut(self, x: Any) -> Any:
        if self._stride == 1:
            return x
        x = x[:, :, :: self._stride, :: self._stride]
        return F.pad(x, ((0, 0), (0, self._new_channels), (0, 0), (0, 0)), 'constant')


def _convolution(in_channels: int | None, out_channels: int, stride: int = 1) -> chainer.Sequential:
    return chainer.Sequential(
        L.Convolution2D(in_channels, out_channels, 3, stride, 1, nobias=True, initialW=_He()),
        L.BatchNormalization(out_channels),
    )


def _check_images(x: Any) -> Any:
    if x.ndim != 4:
        raise ValueError(f'the model needs images (channels, height, width), not examples of shape {x.shape[1:]}')
    return x


def _mean_over_image(h: Any) -> Any:
    return F.mean(h, axis=(2, 3))


def _squared_error(y: Any, t: Any) -> Any:
    return F.mean_squared_error(y, F.cast(F.reshape(t, y.shape), y.dtype))


def _built_in(spec: str, n_outputs: int | None) -> chainer.Link:
    name, colon, argument = spec.partition(':')
    if name not in MODELS:
        raise ValueError(f'unknown model {spec!r}: {hint(spec) or suggest(name, [*MODEL_NAMES, "module:factory"])}')
    options = _options(name, argument) if colon else {}
    if n_outputs is None:
        raise ValueError(f'{name} predicts a class or float targets, and the data has neither')
    return MODELS[name](n_outputs, **options)


def _options(name: str, argument: str) -> dict[str, Any]:
    if name == 'mlp' and re.fullmatch(r'[1-9]\d*(,[1-9]\d*)*', argument):
        return {'hidden': tuple(int(units) for units in argument.split(','))}
    if name == 'resnet' and argument.isdecimal():
        return {'depth': int(argument)}
    raise ValueError(f'{name} does not take {argument!r}: use mlp:50,50 (hidden units) or resnet:56 (depth)')


def _from_factory(spec: str, n_outputs: int | None) -> chainer.Link:
    factory = load_object(spec)
    if isinstance(factory, chainer.Link):
        raise ValueError(f'{spec!r} is a link: name a function or a class that makes one')
    link = call_factory(spec, factory, **_arguments(spec, factory, n_outputs))
    if not isinstance(link, chainer.Link):
        returned = f'the class {link.__name__}' if isinstance(link, type) else type(link).__name__
        raise ValueError(f'{spec!r} returned {returned}, not a chainer.Link')
    return link


def _arguments(spec: str, factory: Callable[..., Any], n_outputs: int | None) -> dict[str, int | None]:
    optional = [name for name in inspect.signature(factory).parameters if name == 'n_classes']
    wanted = _required(factory) or optional
    if len(wanted) > 1:
        raise ValueError(f'{spec!r} needs {", ".join(wanted)}: it may take one argument alone, the number of classes')
    if wanted and n_outputs is None:
        raise ValueError(f'{spec!r} takes the number of classes, and the data has neither labels nor float targets')
    return dict.fromkeys(wanted, n_outputs)


def _required(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments without which a function can't be called."""
    parameters = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in variable]


def _gives_loss(link: chainer.Link) -> bool:
    declared = getattr(link, 'reports_loss', None)
    if declared is not None:
        return bool(declared)
    return isinstance(link, L.Classifier) or len(_required(_forward(link))) > 1


def _forward(link: chainer.Link) -> Callable[..., Any]:
    if type(link).__call__ is not chainer.Link.__call__:  # as links were written before Chainer 5
        return link.__call__
    if not hasattr(link, 'forward'):
        raise ValueError(f'the link {type(link).__name__} has no forward()')
    return link.forward
