"""Which attribute holds an optimizer's rate, which can be moved, and which parameters have their own."""

from clr.attributes import check_settable, own_hyperparameters, rate_attribute

import numpy
import pytest
from chainer import Chain, links, optimizers

WITH_LR = [
    'AdaGrad',
    'CorrectedMomentumSGD',
    'MSVAG',
    'MomentumSGD',
    'NesterovAG',
    'RMSprop',
    'RMSpropGraves',
    'SGD',
    'SMORMS3',
]
WITH_ALPHA = ['AMSBound', 'AMSGrad', 'AdaBound', 'Adam', 'AdamW']


@pytest.mark.parametrize('name, attr', [(name, 'lr') for name in WITH_LR] + [(name, 'alpha') for name in WITH_ALPHA])
def test_every_optimizer_with_a_rate_has_it_found_and_moved(name, attr):
    optimizer = getattr(optimizers, name)()
    assert rate_attribute(optimizer) == attr
    check_settable(optimizer, attr)
    setattr(optimizer, attr, 0.125)
    assert getattr(optimizer.hyperparam, attr) == 0.125


def test_an_optimizer_without_a_rate_is_named():
    advice = 'use an optimizer that has one, such as MomentumSGD or Adam'
    with pytest.raises(ValueError, match=rf'^AdaDelta has no learning rate to move \(no lr or alpha\); {advice}$'):
        rate_attribute(optimizers.AdaDelta())


def test_a_check_leaves_the_value_as_it_is():
    optimizer = optimizers.SGD(lr=numpy.float32(0.1))
    value = optimizer.lr
    check_settable(optimizer, 'lr')
    assert optimizer.lr is value


@pytest.mark.parametrize('updates', [0, 1])
def test_the_lr_of_adam_is_derived_before_the_first_update_and_after_it(updates, recwarn):
    optimizer = optimizers.Adam().setup(links.Linear(2, 3))
    for _ in range(updates):
        optimizer.target.cleargrads()
        optimizer.update()
    with pytest.raises(ValueError, match=r"^Adam has no attribute 'lr' that can be set; use 'alpha' "):
        check_settable(optimizer, 'lr')
    assert not recwarn


@pytest.mark.parametrize('attr', ['rate', 'target', 'update', '', 5])
def test_what_is_no_number_of_the_optimizer_s_can_not_be_set(attr):
    with pytest.raises(ValueError, match=f"^SGD has no attribute {attr!r} that can be set; use 'lr'$"):
        check_settable(optimizers.SGD(), attr)


def test_a_switch_is_no_number():
    with pytest.raises(ValueError, match=r"^Adam has no attribute 'amsgrad' that can be set; use 'alpha'"):
        check_settable(optimizers.Adam(), 'amsgrad')


def test_the_advice_names_numbers_of_any_type_and_no_flags():
    optimizer = optimizers.RMSprop(lr=numpy.float32(0.1))
    with pytest.raises(ValueError, match=r"use 'lr' \(others: alpha, eps\)$"):
        check_settable(optimizer, 'momentum')


def test_an_optimizer_without_numbers_gives_no_advice():
    optimizer = optimizers.SGD()
    del optimizer.hyperparam.lr
    with pytest.raises(ValueError, match=r"^SGD has no attribute 'lr' that can be set; it has none to set$"):
        check_settable(optimizer, 'lr')


def test_parameters_with_a_value_of_their_own_are_found_in_the_order_of_their_names():
    model = Chain(head=links.Linear(2, 2), body=links.Linear(2, 2), free=links.Linear(2, 2))
    optimizer = optimizers.MomentumSGD().setup(model)
    model.free.W.update_rule = None
    hyperparams = [link.b.update_rule.hyperparam for link in (model.body, model.head)]
    for hyperparam in reversed(hyperparams):
        hyperparam.lr = 0.5
    model.body.W.update_rule.hyperparam.momentum = 0.5
    found = own_hyperparameters(optimizer, 'lr')
    assert len(found) == 2 and all(one is other for one, other in zip(found, hyperparams))
    assert own_hyperparameters(optimizer, 'momentum') == [model.body.W.update_rule.hyperparam]
