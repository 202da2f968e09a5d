"""Trains one network in many ranges at once, which is several times as fast as one after the other.

From one seed all of these trainings have the same data, weights and batches: the copies of a weight are stacked in one array,
with an axis for the ranges in front, and so are their rates. What comes out is what each would come to by itself, up to
rounding. That goes for linear layers, normalised in batches or not, for embeddings, and for what works element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.datasets import Array
from benchmarks.judging import KINDS
from benchmarks.networks import Words
from benchmarks.task import Outcome, Task, train_cycles, validate
from clr.policies import POLICIES

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np

Rate = Callable[[int], float]
ELEMENTWISE = {F.relu, F.tanh, F.elu, F.leaky_relu, F.softplus}


def train_together(
    task: Task, ranges: Sequence[tuple[float, float]], seed: int, policy: str, step_size: int, half_cycles: int
) -> list[Outcome]:
    """What :func:`benchmarks.task.train_cycles` says of each of the ranges; one after the other where it must be."""
    if not can_be_stacked(task):
        return [train_cycles(task, value_range, seed, policy, step_size, half_cycles) for value_range in ranges]
    rates = [partial(POLICIES[policy], value_range=value_range, step_size=step_size) for value_range in ranges]
    return [course[-1] for course in courses(task, seed, rates, half_cycles * step_size)]


def courses(task: Task, seed: int, rates: Sequence[Rate], updates: int, checks: int = 1) -> list[list[Outcome]]:
    """Train a task that can be stacked at several rates.

    Args:
        task: The task.
        seed: Of its data, weights and batches.
        rates: What each training's rate is, as a function of the updates that have been made.
        updates: How long they are.
        checks: How often each is validated, evenly over the updates, the last time at the end.

    Returns:
        Of each training, where it stood at each of the checks.
    """
    setup = task.build(seed)
    network = setup.model.predictor
    stack = Stack(network, len(rates))
    optimizer = task.optimizer().setup(stack)
    iterator = setup.updater.get_iterator('main')
    found: list[list[Outcome]] = [[] for _ in rates]
    with np.errstate(all='ignore'), chainer.using_config('type_check', False):
        for step in range(updates):
            setattr(optimizer, setup.attr, np.array([rate(step) for rate in rates], np.float32).reshape(-1, 1, 1))
            x, y = chainer.dataset.concat_examples(iterator.next())
            output = stack(x)
            loss = setup.model.lossfun(F.reshape(output, (-1, output.shape[2])), np.concatenate([y] * len(rates)))
            stack.cleargrads()
            (len(rates) * loss).backward()  # each has the mean over its own examples
            optimizer.update()
            if step + 1 >= math.ceil(updates * (len(found[0]) + 1) / checks):
                for which, course in enumerate(found):
                    stack.copy_to(network, which)
                    course.append(validate(setup, task.kind))
    return found


def can_be_stacked(task: Task) -> bool:
    """Whether several of a task's trainings can be one."""
    return task.kind in KINDS and task.clip is None and _can_be_stacked(task.build(0).model.predictor)


def _can_be_stacked(network: Any) -> bool:
    if isinstance(network, Words):
        return network.mean and _can_be_stacked(network.network)
    return isinstance(network, chainer.Sequential) and all(
        isinstance(part, (L.Linear, L.BatchNormalization)) or part in ELEMENTWISE or _is_dropout(part) for part in network
    )


def _is_dropout(part: Any) -> bool:
    return isinstance(part, partial) and part.func is F.dropout


class Stack(chainer.Chain):
    """Copies of a network: weights of shape (copies, ...), outputs of shape (copies, n, outputs) for one batch."""

    def __init__(self, network: Any, copies: int) -> None:
        super().__init__()
        self.copies = copies
        self.embed = network.embed if isinstance(network, Words) else None
        self.parts: list[Any] = list(network.network if isinstance(network, Words) else network)
        self.averages = {part: _averages(part, copies) for part in self.parts if isinstance(part, L.BatchNormalization)}
        self.stacked: dict[int, chainer.Parameter] = {}
        for name, param in network.namedparams():
            with self.init_scope():
                setattr(self, name.replace('/', '_'), chainer.Parameter(_stacked(param.array, copies)))
            self.stacked[id(param)] = getattr(self, name.replace('/', '_'))

    def forward(self, x: Array) -> Any:
        h = np.ascontiguousarray(np.broadcast_to(x, (self.copies, *x.shape)))
        if self.embed is not None:
            h = self._embedded(h)
        for part in self.parts:
            h = self._through(part, h)
        return h

    def _embedded(self, words: Array) -> Any:
        weights = self.stacked[id(self.embed.W)]
        _, many, size = weights.shape
        own = words + many * np.arange(self.copies, dtype=words.dtype).reshape(-1, 1, 1)
        return F.mean(F.embed_id(own, F.reshape(weights, (-1, size))), axis=2)

    def _through(self, part: Any, h: Any) -> Any:
        if isinstance(part, L.Linear):
            y = F.matmul(h, self.stacked[id(part.W)], transb=True)
            return y + F.broadcast_to(self.stacked[id(part.b)], y.shape)
        if isinstance(part, L.BatchNormalization):
            return self._normalised(part, h)
        if _is_dropout(part):
            keep = np.random.rand(*h.shape[1:]) >= part.keywords['ratio']  # the same for all, as by themselves
            return h * np.broadcast_to((keep / (1 - part.keywords['ratio'])).astype(np.float32), h.shape)
        return part(h)

    def _normalised(self, part: Any, h: Any) -> Any:
        copies, n, features = h.shape
        wide = F.reshape(F.transpose(h, (1, 0, 2)), (n, copies * features))  # a feature of each copy is one by itself
        scale, shift = (F.reshape(self.stacked[id(param)], (-1,)) for param in (part.gamma, part.beta))
        mean, variance = self.averages[part]
        wide = F.batch_normalization(
            wide, scale, shift, eps=part.eps, running_mean=mean, running_var=variance, decay=part.decay
        )
        return F.transpose(F.reshape(wide, (n, copies, features)), (1, 0, 2))

    def copy_to(self, network: Any, which: int) -> None:
        """Give a network the weights of one of the copies."""
        for param in network.params():
            param.array[...] = self.stacked[id(param)].array[which].reshape(param.shape)
        for part, (mean, variance) in self.averages.items():
            part.avg_mean[...] = mean.reshape(self.copies, -1)[which]
            part.avg_var[...] = variance.reshape(self.copies, -1)[which]


def _stacked(array: Array, copies: int) -> Array:
    """Copies of a weight, one after the other: three axes, so that rates of shape (copies, 1, 1) fit."""
    return np.repeat(array.reshape(1, -1, array.shape[-1]), copies, axis=0)


def _averages(part: Any, copies: int) -> tuple[Array, Array]:
    return np.tile(part.avg_mean, copies), np.tile(part.avg_var, copies)
