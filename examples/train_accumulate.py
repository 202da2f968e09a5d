"""Gradient accumulation: an update takes several small batches and steps the optimizer once.

    python train_accumulate.py --batchsize 25 --batches 4

An update of the trainer is one step of the optimizer, so the range holds for the large batch (here 4 x 25 examples), and
`step_size` counts steps. Report the mean over all batches of an update: the last value reported is the one that counts. No
data can be held out for an update of your own, so `find` is given the evaluator that the trainer already has:
`trainer.get_extension('validation')`.
"""

import argparse

import lrfinder  # new; must come before chainer
from clr.training.extensions import CLR  # new

import chainer
import chainer.functions as F
import chainer.links as L
from chainer import training
from chainer.training import extensions


class AccumulatingUpdater(training.updaters.StandardUpdater):
    """Sums the gradients of several batches, and steps once with their mean."""

    def __init__(self, train_iter, optimizer, batches, device):
        super().__init__(train_iter, optimizer, device=device)
        self.batches = batches

    def update_core(self):
        train_iter, optimizer = self.get_iterator('main'), self.get_optimizer('main')
        model = optimizer.target
        model.cleargrads()
        losses, accuracies = [], []
        for _ in range(self.batches):
            loss = model(*self.converter(train_iter.next(), self.device))
            (loss / self.batches).backward()
            losses.append(loss.array)
            accuracies.append(model.accuracy.array)
        optimizer.update()
        chainer.report({'loss': sum(losses) / self.batches, 'accuracy': sum(accuracies) / self.batches}, model)


def main():
    """Trains under CLR, in the range that is found at the start."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--batchsize', '-b', type=int, default=25, help='examples in memory at once')
    parser.add_argument('--batches', '-k', type=int, default=4, help='batches in an update')
    parser.add_argument('--epoch', '-e', type=int, default=20)
    parser.add_argument('--device', '-d', type=str, default='-1')
    parser.add_argument('--out', '-o', default='result')
    parser.add_argument('--unit', '-u', type=int, default=1000)
    args = parser.parse_args()
    device = chainer.get_device(args.device)
    device.use()

    model = L.Classifier(chainer.Sequential(L.Linear(784, args.unit), F.relu, L.Linear(args.unit, 10)))
    model.to_device(device)
    optimizer = chainer.optimizers.MomentumSGD().setup(model)
    train, test = chainer.datasets.get_mnist()
    train_iter = chainer.iterators.SerialIterator(train, args.batchsize)
    test_iter = chainer.iterators.SerialIterator(test, args.batchsize, repeat=False, shuffle=False)
    updater = AccumulatingUpdater(train_iter, optimizer, args.batches, device)
    trainer = training.Trainer(updater, (args.epoch, 'epoch'), out=args.out)
    trainer.extend(extensions.Evaluator(test_iter, model, device=device))

    s = lrfinder.find(updater, evaluator=trainer.get_extension('validation')).suggestion  # new
    trainer.extend(CLR(s.attr, s.value_range, s.step_size, s.policy))  # new

    trainer.extend(extensions.LogReport())
    trainer.extend(extensions.PrintReport(['epoch', 'iteration', 'main/loss', 'validation/main/loss']))
    trainer.run()


if __name__ == '__main__':
    main()
