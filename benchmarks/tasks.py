"""The benchmark's tasks: small enough for two cores, different enough that no rule fits all by luck.

A task is one entry of `TASKS`: data, network, optimizer, batch size. Its group is what it may be used for, or what it is for:

tune: May be looked at when the constants are chosen.
held: Chooses none, but was measured again and again while the algorithm was designed.
fresh: Drawn up before the algorithm was changed last, and measured when that was done: decided nothing.
kinds: Of the same standing as 'held': attention, fine-tuning, a loss alone, a balanced iterator.
long: More data and harder problems, so that a long training still learns: see `benchmarks.long`.
"""

from __future__ import annotations

from functools import partial

from benchmarks.datasets import (
    calls,
    chequered,
    circles,
    clusters,
    cubic,
    deep_teacher,
    digits,
    documents,
    echoes,
    even_digits,
    flipped,
    folded,
    friedman,
    friedman2,
    friedman3,
    hastie,
    heavy_tailed,
    imbalanced,
    library,
    low_rank,
    lower_digits,
    mirrored_digits,
    moons,
    parity,
    pendulum,
    photograph,
    proline,
    quantiles,
    ratings,
    redundant,
    rhythms,
    ripples,
    shifted_digits,
    shipped,
    sparse,
    spirals,
    standardised,
    summits,
    swiss_roll,
    tagged,
    teacher,
    true_digits,
    turned_digits,
    unequal,
    upper_digits,
    valued_digits,
    varied_digits,
    votes,
    waves,
)
from benchmarks.iterators import BalancedIterator
from benchmarks.networks import (
    Elman,
    Residual,
    RowGRU,
    RowLSTM,
    Words,
    conv,
    grouped_conv,
    mlp,
    normalised_conv,
    resnet,
    row_conv,
    valued_conv,
)
from benchmarks.pretraining import Pretraining
from benchmarks.structured import CHARACTERS, blots, brackets, chaos, graphs, outlines, sentences
from benchmarks.structured_networks import Autoencoder, Dilated, Neighbours, Together, Transformer, hourglass
from benchmarks.task import ADAGRAD, ADAPTIVE, SGD, Outcome, Setup, Task, train, validate

import chainer.functions as F
import chainer.links as L
from chainer import optimizers

__all__ = ['BY_NAME', 'TASKS', 'Outcome', 'Setup', 'Task', 'train', 'validate']

# A task on six lines is read at a glance; on twelve it is not.
# fmt: off
TASKS = (
    Task(
        name='digits-mlp-momentum', group='tune',
        data=digits,
        network=lambda: mlp(64, 100, 10),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-conv-adam', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=conv,
        optimizer=optimizers.Adam, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-deep-sgd', group='tune',
        data=digits,
        network=lambda: mlp(64, *[64] * 7, 10),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='spirals-mlp-rmsprop', group='tune',
        data=spirals,
        network=lambda: mlp(2, 64, 64, 2),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='digits-raw-noise-linear-sgd', group='tune',
        data=lambda rng: flipped(digits(rng, scale=16.0), share=0.2, rng=rng),
        network=lambda: mlp(64, 10),
        optimizer=optimizers.SGD, batch=64, half_cycle=75, decades=(-4.0, 0.5),
    ),
    Task(
        name='wine-mlp-adagrad', group='tune',
        data=lambda rng: standardised(shipped(rng, 'wine', train=80)),
        network=lambda: mlp(13, 32, 32, 3),
        optimizer=optimizers.AdaGrad, batch=16, half_cycle=75, decades=ADAGRAD,
    ),
    Task(
        name='diabetes-mlp-adam', group='tune', kind='regression',
        data=lambda rng: standardised(shipped(rng, 'diabetes', train=220)),
        network=lambda: mlp(10, 32, 32, 1),
        optimizer=optimizers.Adam, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='friedman-norm-momentum', group='tune', kind='regression',
        data=lambda rng: standardised(friedman(rng)),
        network=lambda: mlp(10, 64, 64, 1, norm=L.BatchNormalization),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits60-mlp-momentum', group='tune',
        data=lambda rng: digits(rng, train=60),
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.MomentumSGD, batch=20, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-noise-norm-nesterov', group='tune',
        data=lambda rng: flipped(digits(rng), share=0.25, rng=rng),
        network=lambda: mlp(64, 64, 64, 10, norm=L.BatchNormalization),
        optimizer=optimizers.NesterovAG, batch=128, half_cycle=80, decades=SGD,
    ),
    Task(
        name='clusters-imbalanced-dropout-adam', group='tune',
        data=lambda rng: imbalanced(clusters(rng, classes=6, distance=0.8), keep=0.15, rng=rng),
        network=lambda: mlp(20, 64, 64, 6, dropout=0.3),
        optimizer=optimizers.Adam, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-resnet-momentum', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=resnet,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-norm-sgd', group='held',
        data=digits,
        network=lambda: mlp(64, *[48] * 5, 10, norm=L.BatchNormalization),
        optimizer=optimizers.SGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-conv-dropout-nesterov', group='held',
        data=lambda rng: digits(rng, image=True),
        network=lambda: conv(dropout=0.4),
        optimizer=optimizers.NesterovAG, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='moons-deep-adam', group='held',
        data=moons,
        network=lambda: mlp(2, *[32] * 9, 2),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='teacher-mlp-sgd', group='held', kind='regression',
        data=teacher,
        network=lambda: mlp(10, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='cancer-raw-mlp-adam', group='held',
        data=lambda rng: shipped(rng, 'breast_cancer', train=280),
        network=lambda: mlp(30, 32, 2),
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='iris-linear-adagrad', group='held',
        data=lambda rng: shipped(rng, 'iris', train=60),
        network=lambda: mlp(4, 3),
        optimizer=optimizers.AdaGrad, batch=16, half_cycle=75, decades=(-2.5, 2.0),
    ),
    Task(
        name='unequal-linear-rmsprop', group='held', kind='regression',
        data=unequal,
        network=lambda: mlp(12, 1),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=100, decades=(-3.0, 1.5),
    ),
    Task(
        name='diabetes-raw-mlp-nesterov', group='held', kind='regression',
        data=lambda rng: shipped(rng, 'diabetes', train=220),
        network=lambda: mlp(10, 32, 1),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=80, decades=(-6.5, -1.5),
    ),
    Task(
        name='digits80-conv-adam', group='held',
        data=lambda rng: digits(rng, train=80, image=True),
        network=conv,
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-noise-mlp-sgd', group='held',
        data=lambda rng: flipped(clusters(rng, classes=4, distance=0.8), share=0.3, rng=rng),
        network=lambda: mlp(20, 64, 4),
        optimizer=optimizers.SGD, batch=128, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-imbalanced-mlp-momentum', group='held',
        data=lambda rng: imbalanced(digits(rng), keep=0.15, rng=rng),
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-resnet-sgd', group='held',
        data=lambda rng: digits(rng, image=True),
        network=resnet,
        optimizer=optimizers.SGD, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='hastie-tanh-adamw', group='tune',
        data=hastie,
        network=lambda: mlp(10, 64, 64, 2, activation=F.tanh),
        optimizer=partial(optimizers.AdamW, weight_decay_rate=1e-3), batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='friedman2-layernorm-nesterov', group='tune', kind='regression',
        data=lambda rng: standardised(friedman2(rng)),
        network=lambda: mlp(4, 48, 48, 48, 1, norm=L.LayerNormalization),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-normconv-sgd', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=normalised_conv,
        optimizer=optimizers.SGD, batch=128, half_cycle=75, decades=SGD,
    ),
    Task(
        name='circles-deep-leaky-momentum', group='tune',
        data=circles,
        network=lambda: mlp(10, *[32] * 8, 2, activation=F.leaky_relu),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='digits-lstm-amsgrad', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=lambda: RowLSTM(units=48),
        optimizer=optimizers.AMSGrad, batch=32, half_cycle=80, decades=ADAPTIVE,
    ),
    Task(
        name='friedman3-outliers-mlp-sgd', group='tune', kind='regression',
        data=lambda rng: heavy_tailed(standardised(friedman3(rng)), scale=0.3, rng=rng),
        network=lambda: mlp(4, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='cancer-raw-deep-rmsprop', group='tune',
        data=lambda rng: shipped(rng, 'breast_cancer', train=200),
        network=lambda: mlp(30, 64, 64, 64, 2),
        optimizer=optimizers.RMSprop, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='redundant-imbalanced-mlp-adagrad', group='tune',
        data=lambda rng: imbalanced(redundant(rng), keep=0.05, rng=rng),
        network=lambda: mlp(30, 64, 64, 4),
        optimizer=optimizers.AdaGrad, batch=64, half_cycle=90, decades=ADAGRAD,
    ),
    Task(
        name='quantiles-mlp-momentum', group='held',
        data=quantiles,
        network=lambda: mlp(10, 96, 48, 3),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='swissroll-raw-mlp-adam', group='held', kind='regression',
        data=swiss_roll,
        network=lambda: mlp(3, 64, 64, 1),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='digits-gru-clipped-sgd', group='held',
        data=lambda rng: digits(rng, image=True),
        network=lambda: RowGRU(units=48),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD, clip=1.0,
    ),
    Task(
        name='digits-groupnorm-adam', group='held',
        data=lambda rng: digits(rng, image=True),
        network=grouped_conv,
        optimizer=optimizers.Adam, batch=64, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='wine-raw-mlp-adam', group='held',
        data=lambda rng: shipped(rng, 'wine', train=90),
        network=lambda: mlp(13, 48, 3),
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='waves-deep-elu-nesterov', group='held', kind='regression',
        data=waves,
        network=lambda: mlp(2, *[32] * 5, 1, activation=F.elu),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='sparse-mlp-dropout-rmspropgraves', group='held', kind='regression',
        data=sparse,
        network=lambda: mlp(10, 64, 64, 1, dropout=0.2),
        optimizer=optimizers.RMSpropGraves, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-noise-normconv-momentum', group='held',
        data=lambda rng: flipped(digits(rng, image=True), share=0.3, rng=rng),
        network=normalised_conv,
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='chequered-mlp-adamw', group='tune',
        data=chequered,
        network=lambda: mlp(2, 96, 96, 2),
        optimizer=partial(optimizers.AdamW, weight_decay_rate=1e-4), batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='values-conv-momentum', group='tune', kind='regression',
        data=valued_digits,
        network=valued_conv,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='mirror-tanh-adam', group='tune', kind='regression',
        data=mirrored_digits,
        network=lambda: mlp(64, 32, 8, 32, 64, activation=F.tanh),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='documents-words-adagrad', group='tune',
        data=documents,
        network=lambda: Words(words=200, size=16, network=mlp(16, 32, 5)),
        optimizer=optimizers.AdaGrad, batch=32, half_cycle=90, decades=ADAGRAD,
    ),
    Task(
        name='rhythms-elman-rmsprop', group='tune',
        data=rhythms,
        network=lambda: Elman(features=1, units=48, outputs=4),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cubic-mlp-sgd', group='tune', kind='regression',
        data=cubic,
        network=lambda: mlp(5, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=(-5.5, -0.5),
    ),
    Task(
        name='cancer-residual-nesterov', group='tune',
        data=lambda rng: standardised(shipped(rng, 'breast_cancer', train=280)),
        network=lambda: Residual(features=30, width=32, depth=5, outputs=2),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='folded-mlp-adabound', group='tune',
        data=folded,
        network=lambda: mlp(3, 48, 48, 4),
        optimizer=optimizers.AdaBound, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='even-softplus-sgd', group='held',
        data=even_digits,
        network=lambda: mlp(64, 64, 64, 2, activation=F.softplus),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-rowconv-momentum', group='held',
        data=lambda rng: digits(rng, image=True),
        network=row_conv,
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='lowrank-mlp-adam', group='held', kind='regression',
        data=low_rank,
        network=lambda: mlp(40, 64, 1),
        optimizer=optimizers.Adam, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-many-noise-wide-nesterov', group='held',
        data=lambda rng: flipped(clusters(rng, classes=10, distance=1.2), share=0.2, rng=rng),
        network=lambda: mlp(20, 192, 10),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=100, decades=SGD,
    ),
    Task(
        name='ratings-words-adam', group='held', kind='regression',
        data=ratings,
        network=lambda: Words(words=70, size=8, network=mlp(16, 48, 48, 1), mean=False),
        optimizer=optimizers.Adam, batch=64, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='echoes-elman-clipped-rmsprop', group='held', kind='regression',
        data=echoes,
        network=lambda: Elman(features=1, units=32, outputs=1),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=90, decades=ADAPTIVE, clip=1.0,
    ),
    Task(
        name='proline-mlp-momentum', group='held', kind='regression',
        data=proline,
        network=lambda: mlp(12, 32, 32, 1),
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=75, decades=SGD,
    ),
    Task(
        name='quantiles-residual-smorms3', group='held',
        data=lambda rng: quantiles(rng, classes=4, features=6),
        network=lambda: Residual(features=6, width=48, depth=3, outputs=4),
        optimizer=optimizers.SMORMS3, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cancer-norm-adam', group='held',
        data=lambda rng: standardised(shipped(rng, 'breast_cancer', train=300)),
        network=lambda: mlp(30, 48, 48, 2, norm=L.BatchNormalization),
        optimizer=optimizers.Adam, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='digits-wide-adagrad', group='held',
        data=digits,
        network=lambda: mlp(64, 200, 10),
        optimizer=optimizers.AdaGrad, batch=128, half_cycle=80, decades=ADAGRAD,
    ),
    Task(
        name='diabetes-linear-sgd', group='held', kind='regression',
        data=lambda rng: standardised(shipped(rng, 'diabetes', train=220)),
        network=lambda: mlp(10, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-conv-rmsprop', group='held',
        data=lambda rng: digits(rng, image=True),
        network=conv,
        optimizer=optimizers.RMSprop, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='friedman-tanh-sgd', group='held', kind='regression',
        data=lambda rng: standardised(friedman(rng)),
        network=lambda: mlp(10, 64, 64, 1, activation=F.tanh),
        optimizer=optimizers.SGD, batch=64, half_cycle=100, decades=SGD,
    ),
    Task(
        name='moons-noise-mlp-nesterov', group='held',
        data=lambda rng: flipped(moons(rng), share=0.15, rng=rng),
        network=lambda: mlp(2, 48, 48, 2),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='iris-mlp-momentum', group='held',
        data=lambda rng: shipped(rng, 'iris', train=60),
        network=lambda: mlp(4, 16, 3),
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-raw-deep-norm-adam', group='held',
        data=lambda rng: digits(rng, scale=16.0),
        network=lambda: mlp(64, *[48] * 4, 10, norm=L.BatchNormalization),
        optimizer=optimizers.Adam, batch=128, half_cycle=80, decades=ADAPTIVE,
    ),
    Task(
        name='parity-mlp-adam', group='held',
        data=parity,
        network=lambda: mlp(8, 64, 64, 2),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='shifted-conv-momentum', group='held',
        data=shifted_digits,
        network=conv,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='friedman-raw-mlp-sgd', group='held', kind='regression',
        data=friedman,
        network=lambda: mlp(10, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=(-5.5, -0.5),
    ),
    Task(
        name='votes-words-nesterov', group='held',
        data=votes,
        network=lambda: Words(words=60, size=12, network=mlp(12, 32, 3)),
        optimizer=optimizers.NesterovAG, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='ripples-layernorm-adagrad', group='held', kind='regression',
        data=ripples,
        network=lambda: mlp(3, 64, 64, 1, norm=L.LayerNormalization),
        optimizer=optimizers.AdaGrad, batch=32, half_cycle=100, decades=ADAGRAD,
    ),
    Task(
        name='summits-elman-adam', group='held', kind='regression',
        data=summits,
        network=lambda: Elman(features=1, units=32, outputs=1),
        optimizer=optimizers.Adam, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cancer-noise-dropout-rmsprop', group='held',
        data=lambda rng: flipped(standardised(shipped(rng, 'breast_cancer', train=300)), share=0.2, rng=rng),
        network=lambda: mlp(30, 64, 64, 2, dropout=0.3),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-classes-norm-sgd', group='held',
        data=lambda rng: clusters(rng, classes=20, distance=1.5),
        network=lambda: mlp(20, *[64] * 3, 20, norm=L.BatchNormalization),
        optimizer=optimizers.SGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='photograph-mlp-adam', group='fresh', kind='regression',
        data=photograph,
        network=lambda: mlp(48, 64, 64, 3),
        optimizer=optimizers.Adam, batch=128, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='tagged-mlp-msvag', group='fresh', kind='labels',
        data=tagged,
        network=lambda: mlp(40, 64, 8),
        optimizer=optimizers.MSVAG, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='blots-hourglass-correctedmomentum', group='fresh',
        data=blots,
        network=lambda: hourglass(classes=3),
        optimizer=optimizers.CorrectedMomentumSGD, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='chaos-dilated-nesterov', group='fresh', kind='regression',
        data=chaos,
        network=lambda: Dilated(channels=12, layers=4, outputs=1),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=80, decades=SGD, clip=1.0,
    ),
    Task(
        name='outlines-together-adagrad', group='fresh', kind='margin',
        data=outlines,
        network=lambda: Together(features=2, units=32, outputs=4),
        optimizer=optimizers.AdaGrad, batch=32, half_cycle=90, decades=ADAGRAD,
    ),
    Task(
        name='pendulum-tanh-rmsprop', group='fresh', kind='regression',
        data=pendulum,
        network=lambda: mlp(3, 48, 48, 2, activation=F.tanh),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='graphs-neighbours-sgd', group='fresh',
        data=graphs,
        network=lambda: Neighbours(units=24, layers=2, outputs=3),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='calls-mlp-momentum', group='fresh', kind='counts',
        data=calls,
        network=lambda: mlp(8, 64, 1),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=75, decades=(-4.5, 0.5),
    ),
    Task(
        name='sentences-transformer-adam', group='kinds',
        data=sentences,
        network=lambda: Transformer(CHARACTERS, length=16, size=32, heads=2, blocks=1, outputs=CHARACTERS, causal=True),
        optimizer=optimizers.Adam, batch=16, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='brackets-transformer-momentum', group='kinds',
        data=brackets,
        network=lambda: Transformer(words=2, length=12, size=16, heads=2, blocks=1, outputs=2, causal=False),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='upper-finetuned-conv-momentum', group='kinds',
        data=lambda rng: upper_digits(rng, train=150),
        network=lambda: conv(outputs=5),
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=75, decades=SGD,
        before=Pretraining(lower_digits, new_head=True),
    ),
    Task(
        name='turned-finetuned-mlp-adam', group='kinds',
        data=lambda rng: turned_digits(rng, train=300),
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.Adam, batch=32, half_cycle=75, decades=ADAPTIVE,
        before=Pretraining(digits),
    ),
    Task(
        name='digits-vae-adam', group='kinds', kind='loss',
        data=true_digits,
        network=lambda: Autoencoder(pixels=64, units=64, codes=8),
        optimizer=optimizers.Adam, batch=32, half_cycle=90, decades=ADAPTIVE, best=24.9,
    ),
    Task(
        name='digits-vae-normal-sgd', group='kinds', kind='loss',
        data=true_digits,
        network=lambda: Autoencoder(pixels=64, units=64, codes=8, deviation=0.2),
        optimizer=optimizers.SGD, batch=64, half_cycle=90, decades=(-6.0, -1.0), best=-11.9,
    ),
    Task(
        name='digits-balanced-mlp-momentum', group='kinds',
        data=lambda rng: imbalanced(digits(rng), keep=0.1, rng=rng),
        network=lambda: mlp(64, 64, 10),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD, iterator=BalancedIterator,
    ),
    Task(
        name='redundant-balanced-norm-adam', group='kinds',
        data=lambda rng: imbalanced(redundant(rng), keep=0.03, rng=rng),
        network=lambda: mlp(30, 48, 48, 4, norm=L.BatchNormalization),
        optimizer=optimizers.Adam, batch=64, half_cycle=80, decades=ADAPTIVE, iterator=BalancedIterator,
    ),
    Task(
        name='deepteacher-mlp-momentum', group='long', kind='regression',
        data=deep_teacher,
        network=lambda: mlp(12, 64, 64, 1),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='varied-mlp-sgd', group='long',
        data=varied_digits,
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='library-words-adam', group='long',
        data=library,
        network=lambda: Words(words=1000, size=8, network=mlp(8, 32, 12)),
        optimizer=optimizers.Adam, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='bigboard-mlp-adamw', group='long',
        data=lambda rng: chequered(rng, squares=6, train=10000),
        network=lambda: mlp(2, 64, 64, 2),
        optimizer=partial(optimizers.AdamW, weight_decay_rate=1e-4), batch=64, half_cycle=100, decades=ADAPTIVE,
    ),
)
# fmt: on

BY_NAME = {task.name: task for task in TASKS}
