"""A GAN: an updater of your own, and two optimizers with a range each.

    python train_gan.py --epoch 100

A GAN's losses are a tug of war: each rises because the other network learns, whatever its own rate. So the opponent holds still
while a rate is tested. Such a range says how fast a network may move, but nothing about the balance between the two: take its
maximum as an upper limit.
"""

import argparse

import lrfinder  # new; must come before chainer
from clr.training.extensions import CLR  # new

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import training
from chainer.training import extensions


class Generator(chainer.Chain):
    """Makes images from noise."""

    def __init__(self, n_hidden, n_units, n_pixels):
        super().__init__()
        self.n_hidden = n_hidden
        with self.init_scope():
            self.l1 = L.Linear(n_hidden, n_units)
            self.bn = L.BatchNormalization(n_units)
            self.l2 = L.Linear(n_units, n_pixels)

    def forward(self, z):
        return F.sigmoid(self.l2(F.relu(self.bn(self.l1(z)))))


class Discriminator(chainer.Chain):
    """Tells real images from made ones."""

    def __init__(self, n_units):
        super().__init__()
        with self.init_scope():
            self.l1 = L.Linear(None, n_units)
            self.l2 = L.Linear(n_units, 1)

    def forward(self, x):
        return self.l2(F.leaky_relu(self.l1(x)))


class GANUpdater(training.updaters.StandardUpdater):
    """Steps both optimizers once."""

    def update_core(self):
        gen_optimizer, dis_optimizer = self.get_optimizer('gen'), self.get_optimizer('dis')
        gen, dis = gen_optimizer.target, dis_optimizer.target
        x_real = self.converter(self.get_iterator('main').next(), self.device)
        z = self.device.xp.random.uniform(-1, 1, (len(x_real), gen.n_hidden)).astype(np.float32)
        x_fake = gen(z)
        y_real, y_fake = dis(x_real), dis(x_fake)
        dis_optimizer.update(self.loss_dis, dis, y_fake, y_real)
        gen_optimizer.update(self.loss_gen, gen, y_fake)

    def loss_dis(self, dis, y_fake, y_real):
        loss = F.mean(F.softplus(-y_real)) + F.mean(F.softplus(y_fake))
        chainer.report({'loss': loss}, dis)
        return loss

    def loss_gen(self, gen, y_fake):
        loss = F.mean(F.softplus(-y_fake))
        chainer.report({'loss': loss}, gen)
        return loss


def main():
    """Trains both networks, each in a range of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--batchsize', '-b', type=int, default=50)
    parser.add_argument('--epoch', '-e', type=int, default=100)
    parser.add_argument('--device', '-d', type=str, default='-1')
    parser.add_argument('--out', '-o', default='result')
    parser.add_argument('--unit', '-u', type=int, default=500)
    args = parser.parse_args()
    device = chainer.get_device(args.device)
    device.use()

    gen, dis = Generator(100, args.unit, 784), Discriminator(args.unit)
    optimizers = {}
    for name, model in ('gen', gen), ('dis', dis):
        model.to_device(device)
        optimizers[name] = chainer.optimizers.Adam(alpha=0.0002, beta1=0.5).setup(model)
    train, _ = chainer.datasets.get_mnist(withlabel=False)
    train_iter = chainer.iterators.SerialIterator(train, args.batchsize)
    updater = GANUpdater(train_iter, optimizers, device=device)
    trainer = training.Trainer(updater, (args.epoch, 'epoch'), out=args.out)

    for name, opponent in ('gen', dis), ('dis', gen):  # new
        opponent.disable_update()  # new: it holds still
        s = lrfinder.find(updater, optimizer=optimizers[name], observer=name).suggestion  # new
        opponent.enable_update()  # new
        trainer.extend(  # new
            CLR(s.attr, s.value_range, s.step_size, s.policy, optimizer=optimizers[name]), name=f'CLR_{name}'
        )

    trainer.extend(extensions.LogReport())
    trainer.extend(extensions.PrintReport(['epoch', 'gen/loss', 'dis/loss']))
    trainer.run()


if __name__ == '__main__':
    main()
