"""A recurrent language model on the Penn Treebank, with truncated backpropagation through time.

    python train_ptb.py --epoch 39

An update takes `--bproplen` batches. `find` puts the hidden state and the place in the text back, too; the epochs that
`step_size` counts are those of the iterator. No data can be held out for an update of your own, so `find` is given the
evaluator that the trainer already has: `trainer.get_extension('validation')`.
"""

import argparse

import lrfinder  # new; must come before chainer
from clr.training.extensions import CLR  # new

import chainer
import chainer.functions as F
import chainer.links as L
from chainer import training
from chainer.training import extensions


class RNNForLM(chainer.Chain):
    """Two LSTM layers."""

    def __init__(self, n_vocab, n_units):
        super().__init__()
        with self.init_scope():
            self.embed = L.EmbedID(n_vocab, n_units)
            self.l1 = L.LSTM(n_units, n_units)
            self.l2 = L.LSTM(n_units, n_units)
            self.l3 = L.Linear(n_units, n_vocab)

    def reset_state(self):
        self.l1.reset_state()
        self.l2.reset_state()

    def forward(self, x):
        h0 = self.embed(x)
        h1 = self.l1(F.dropout(h0))
        h2 = self.l2(F.dropout(h1))
        return self.l3(F.dropout(h2))


class ParallelSequentialIterator(chainer.dataset.Iterator):
    """Reads the text at as many places at once as a batch has examples."""

    def __init__(self, dataset, batch_size, repeat=True):
        self.dataset, self.batch_size, self.repeat = dataset, batch_size, repeat
        self.offsets = [i * len(dataset) // batch_size for i in range(batch_size)]
        self.iteration = 0
        self.epoch = 0
        self.is_new_epoch = False

    def __next__(self):
        if not self.repeat and self.epoch_detail >= 1:
            raise StopIteration
        words = self.get_words()
        self.iteration += 1
        self.is_new_epoch = self.epoch < int(self.epoch_detail)
        self.epoch = int(self.epoch_detail)
        return list(zip(words, self.get_words()))

    @property
    def epoch_detail(self):
        return self.iteration * self.batch_size / len(self.dataset)

    def get_words(self):
        return [self.dataset[(offset + self.iteration) % len(self.dataset)] for offset in self.offsets]

    def serialize(self, serializer):
        self.iteration = serializer('iteration', self.iteration)
        self.epoch = serializer('epoch', self.epoch)


class BPTTUpdater(training.updaters.StandardUpdater):
    """Reads `bprop_len` batches, and steps once."""

    def __init__(self, train_iter, optimizer, bprop_len, device):
        super().__init__(train_iter, optimizer, device=device)
        self.bprop_len = bprop_len

    def update_core(self):
        train_iter, optimizer = self.get_iterator('main'), self.get_optimizer('main')
        loss = 0
        for _ in range(self.bprop_len):
            loss += optimizer.target(*self.converter(train_iter.next(), self.device))
        optimizer.target.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update()


def main():
    """Trains under CLR, in the range that is found at the start."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--batchsize', '-b', type=int, default=20)
    parser.add_argument('--bproplen', '-l', type=int, default=35)
    parser.add_argument('--epoch', '-e', type=int, default=39)
    parser.add_argument('--device', '-d', type=str, default='-1')
    parser.add_argument('--gradclip', '-c', type=float, default=5)
    parser.add_argument('--out', '-o', default='result')
    parser.add_argument('--unit', '-u', type=int, default=650)
    args = parser.parse_args()
    device = chainer.get_device(args.device)
    device.use()

    train, val, _ = chainer.datasets.get_ptb_words()
    train_iter = ParallelSequentialIterator(train, args.batchsize)
    val_iter = ParallelSequentialIterator(val, 1, repeat=False)
    model = L.Classifier(RNNForLM(max(train) + 1, args.unit))
    model.compute_accuracy = False
    model.to_device(device)
    optimizer = chainer.optimizers.SGD(lr=1.0).setup(model)
    optimizer.add_hook(chainer.optimizer_hooks.GradientClipping(args.gradclip))
    updater = BPTTUpdater(train_iter, optimizer, args.bproplen, device)
    trainer = training.Trainer(updater, (args.epoch, 'epoch'), out=args.out)
    eval_model = model.copy()  # with a hidden state of its own
    trainer.extend(
        extensions.Evaluator(val_iter, eval_model, device=device, eval_hook=lambda _: eval_model.predictor.reset_state())
    )

    s = lrfinder.find(updater, evaluator=trainer.get_extension('validation')).suggestion  # new
    trainer.extend(CLR(s.attr, s.value_range, s.step_size, s.policy))  # new

    trainer.extend(extensions.LogReport())
    trainer.extend(extensions.PrintReport(['epoch', 'iteration', 'main/loss', 'validation/main/loss']))
    trainer.run()


if __name__ == '__main__':
    main()
