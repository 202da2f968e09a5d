"""Chainer's examples: with which arguments and stand-ins each is run, and why some can't be.

The arguments make them small enough for a slow core. Rates, optimizers and whatever else trains are the scripts' own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks import example_data as data


@dataclass(frozen=True)
class Example:
    """A script, and how it is run.

    Attributes:
        script: Its path below Chainer's `examples`.
        arguments: Those of the command line.
        variant: What tells it from another run of the same script.
        stand_in: Writes the files that it looks for in the current folder.
        updates: The budget of each training: fewer where an update takes long.
        processes: How many run together under MPI; 1 is without MPI.
        environment: Variables that are set.
        optimizer: The name of the optimizer to move.
        loss: The name of the loss that is judged by; without one a GAN is not compared.
        prelude: A line before all others.
        loop: For a loop of the script's own: an expression for an updater that does the same, in the loop's scope.
        score: For such a loop: an expression for what it has come to.
    """

    script: str
    arguments: str = ''
    variant: str = ''
    stand_in: data.StandIn = data.nothing
    updates: int = 300
    processes: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    optimizer: str = 'main'
    prelude: str = ''
    loop: str = ''
    score: str = ''

    @property
    def name(self) -> str:
        """The script, and the variant."""
        return f'{self.script} {self.variant}'.rstrip()


VGG = '-b 2'
MNIST = '-b 20 -u 50'
TEXTS = '--dataset stsa.binary -b 10 -u 30'
PTB = '-b 5 -l 10 -u 32 -d -1'
STANDARD = 'chainer.training.StandardUpdater(train_iter, optimizer, device=device)'
# NumPy 2.4 makes no int of an array with one element.
WHOLE_NUMBERS = 'int = range_test.whole_number'
ERROR = 'range_test.error(test_iter, optimizer.target)'

EXAMPLES = (
    Example('mnist/train_mnist.py', MNIST),
    Example('mnist/train_mnist.py', MNIST, 'mixed16', environment={'CHAINER_DTYPE': 'mixed16'}),
    Example('mnist/train_mnist_model_parallel.py', f'{MNIST} -d -1 -D -1'),
    Example('mnist/train_mnist_data_parallel.py', f'{MNIST} -d -1 -D -1'),
    Example('mnist/train_mnist_custom_loop.py', MNIST, loop=STANDARD, score=ERROR),
    Example('static_graph_optimizations/mnist/train_mnist.py', MNIST),
    Example('static_graph_optimizations/mnist/train_mnist_custom_loop.py', MNIST, loop=STANDARD, score=ERROR),
    Example('glance/glance.py', stand_in=data.mushrooms),
    Example('vae/train_vae.py', '-b 20 -z 5 --dim-h 64'),
    Example('memnn/train_memnn.py', 'train.txt test.txt -b 20', stand_in=data.stories),
    Example('pos/postagging.py', '-b 10', updates=200),
    Example('text_classification/train_text_classifier.py', TEXTS, 'cnn', prelude=WHOLE_NUMBERS),
    Example('text_classification/train_text_classifier.py', f'{TEXTS} --model rnn', 'rnn', prelude=WHOLE_NUMBERS),
    Example('text_classification/train_text_classifier.py', f'{TEXTS} --model bow', 'bow', prelude=WHOLE_NUMBERS),
    Example('word2vec/train_word2vec.py', '-b 100 -u 20', 'skipgram hsm'),
    Example('word2vec/train_word2vec.py', '-b 100 -u 20 -m cbow -o ns', 'cbow ns'),
    Example('ptb/train_ptb.py', PTB),
    Example(
        'ptb/train_ptb_custom_loop.py',
        PTB,
        loop='train_ptb.BPTTUpdater(train_iter, optimizer, args.bproplen, device)',
        score="{'perplexity': evaluate(model, val_iter)}",
    ),
    Example(
        'static_graph_optimizations/ptb/train_ptb_custom_loop.py',
        PTB,
        loop='range_test.unrolled_updater(train_iter, optimizer, args.bproplen, device)',
        score="{'perplexity': evaluate(model, range_test.rewound(ParallelSequentialIterator(val, 1, repeat=False)))}",
    ),
    Example(
        'seq2seq/seq2seq.py',
        'source.txt target.txt source_words.txt target_words.txt -b 10 -u 32 -l 1',
        stand_in=data.sentences,
    ),
    Example('sentiment/train_sentiment.py', '-b 5', stand_in=data.trees, updates=200),
    Example('sentiment/train_recursive_minibatch.py', '-b 10', stand_in=data.trees, updates=200),
    Example('dcgan/train_dcgan.py', '-b 2', 'gen', updates=20, optimizer='gen'),
    Example('chainermn/mnist/train_mnist.py', f'{MNIST} --communicator naive', processes=2),
    Example('chainermn/mnist/train_mnist_model_parallel.py', MNIST, processes=2),
    Example('chainermn/mnist/train_mnist_dual_parallel.py', MNIST, processes=4),
    Example('chainermn/seq2seq/seq2seq.py', '-b 5 -u 16', stand_in=data.parallel_corpus, processes=2, updates=200),
    Example('cifar/train_cifar.py', '-b 4', updates=60),
    Example('cifar/train_cifar_custom_loop.py', VGG, updates=40, loop=STANDARD, score=ERROR),
    Example('static_graph_optimizations/cifar/train_cifar.py', f'{VGG} -d -1', updates=40),
    Example(
        'static_graph_optimizations/cifar/train_cifar_custom_loop.py', f'{VGG} -d -1', updates=40, loop=STANDARD, score=ERROR
    ),
    Example('imagenet/train_imagenet.py', 'train.txt val.txt -B 1 -b 6 -j 1', stand_in=data.photographs, updates=60),
    Example('chainermn/dcgan/train_dcgan.py', '-b 2 --communicator naive', 'dis', processes=2, updates=20, optimizer='dis'),
)

# What can't be run, and why.
NOT_RUN = {
    'caffe_export/export.py': 'trains nothing',
    'chainermn/cifar/train_cifar.py': 'fails in Chainer 7.8.1: its `VGG` takes a tuple for the number of classes',
    'chainermn/imagenet/train_imagenet.py': 'needs a GPU',
    'chainermn/seq2seq/seq2seq_mp1.py': 'fails in Chainer 7.8.1: `bcast_obj` takes an object from the root alone',
    'chainermn/parallel_convolution/train.py': (
        'fails in Chainer 7.8.1 with 2 or 4 workers: the channels that it takes are not those of its weights'
    ),
    'image_captioning/train.py': "needs VGG16's weights, 500 MB to download",
    'imagenet/train_imagenet_data_parallel.py': 'needs GPUs',
    'mnist/train_mnist_data_parallel_updater.py': 'needs GPUs',
    'modelzoo/evaluate_caffe_net.py': 'trains nothing',
    'optuna/*.py': 'need the package optuna, and each trial is another model',
    'pix2pix/train_facade.py': 'takes 5 seconds an update without a GPU: its images have 256x256 pixels',
    'reinforcement_learning/*.py': 'need gym 0.25 or older (`env.step` returned four values), and have no iterator',
    'serialization/*.py': 'train nothing',
    'wavenet/train.py': 'needs librosa 0.9 or older (it passes the rate by position), and recordings',
}
