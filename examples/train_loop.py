"""A training loop of your own, without a Trainer.

    python train_loop.py --epoch 20

`find` wants an updater: put what the loop does with a batch into its `update_core`. In the loop, the policy is a function of
the iteration.
"""

import argparse

import lrfinder  # new; must come before chainer
from clr import policies  # new

import chainer
import chainer.functions as F
import chainer.links as L
from chainer.dataset import concat_examples


def make_step(model, optimizer, device):
    """Returns what the loop does with a batch."""

    def step(batch):
        x, t = concat_examples(batch, device)
        y = model(x)
        loss = F.softmax_cross_entropy(y, t) + 1e-4 * sum(F.sum(p**2) for p in model.params())
        model.cleargrads()
        loss.backward()
        optimizer.update()
        chainer.report({'loss': loss, 'accuracy': F.accuracy(y, t)}, model)  # new: only the range test listens
        return loss

    return step


class LoopUpdater(chainer.training.updaters.StandardUpdater):  # new
    """The same as an updater, for the range test."""

    def __init__(self, train_iter, optimizer, step):
        super().__init__(train_iter, optimizer)
        self.step = step

    def update_core(self):
        self.step(self.get_iterator('main').next())


def main():
    """Trains under CLR, in the range that is found at the start."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--batchsize', '-b', type=int, default=100)
    parser.add_argument('--epoch', '-e', type=int, default=20)
    parser.add_argument('--device', '-d', type=str, default='-1')
    parser.add_argument('--unit', '-u', type=int, default=1000)
    args = parser.parse_args()
    device = chainer.get_device(args.device)
    device.use()

    model = chainer.Sequential(L.Linear(784, args.unit), F.relu, L.Linear(args.unit, 10))
    model.to_device(device)
    optimizer = chainer.optimizers.MomentumSGD().setup(model)
    train, test = chainer.datasets.get_mnist()
    train_iter = chainer.iterators.SerialIterator(train, args.batchsize)
    step = make_step(model, optimizer, device)

    s = lrfinder.find(LoopUpdater(train_iter, optimizer, step)).suggestion  # new
    policy = policies.POLICIES[s.policy]  # new

    iteration = 0
    while train_iter.epoch < args.epoch:
        setattr(optimizer, s.attr, policy(iteration, s.value_range, s.step_size))  # new
        loss = step(train_iter.next())
        iteration += 1
        if train_iter.is_new_epoch:
            x, t = concat_examples(test, device)
            with chainer.using_config('train', False), chainer.no_backprop_mode():
                accuracy = F.accuracy(model(x), t)
            print('epoch', train_iter.epoch, 'train loss', float(loss.array), 'test accuracy', float(accuracy.array))


if __name__ == '__main__':
    main()
