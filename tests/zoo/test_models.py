"""The built-in models, and how a model is made from what the user names."""

import copy
import pickle
import re

import clr  # noqa: F401  makes Chainer importable
from lrfinder.zoo.models import classifier, cnn, load_model, mlp, regressor, resnet

import chainer
import chainer.links as L
import numpy as np
import pytest

DIGITS = np.linspace(0, 1, 4 * 64, dtype=np.float32).reshape(4, 1, 8, 8)
CIFAR = np.linspace(0, 1, 4 * 3072, dtype=np.float32).reshape(4, 3, 32, 32)
LABELS = np.array([0, 1, 2, 1], np.int32)


def parameters_of(link):
    return {name: parameter.array.copy() for name, parameter in link.namedparams()}


def count_parameters(link):
    return sum(parameter.size for parameter in link.params())


# ---- the built-in models


@pytest.mark.parametrize('make', [mlp, cnn, resnet])
@pytest.mark.parametrize('images', [DIGITS, CIFAR], ids=['8x8x1', '32x32x3'])
def test_gives_logits_for_digits_and_for_colour_images(make, images):
    logits = make(7)(images)
    assert logits.shape == (4, 7)
    assert logits.dtype == np.float32


def test_mlp_has_the_hidden_layers_asked_for():
    model = mlp(10, hidden=(30, 20))
    model(DIGITS)
    assert count_parameters(model) == (64 * 30 + 30) + (30 * 20 + 20) + (20 * 10 + 10)


def test_mlp_is_linear_without_a_hidden_layer_and_not_with_one():
    with chainer.using_config('enable_backprop', False):
        for hidden, is_linear in ((), True), ((100,), False):
            model = mlp(10, hidden)
            difference = model(3 * DIGITS).array - 3 * model(DIGITS).array
            rest = model(-DIGITS).array + model(DIGITS).array
            assert np.allclose(difference, 0, atol=1e-5)
            assert np.allclose(rest, 0, atol=1e-5) is is_linear


def test_cnn_has_batch_normalization():
    model = cnn(10)
    assert sum(isinstance(link, L.BatchNormalization) for link in model.links()) == 3


@pytest.mark.parametrize('depth, parameters', [(20, 269_722), (32, 464_154), (56, 853_018)])
def test_resnet_has_the_parameters_of_the_paper(depth, parameters):
    # He et al., table 6: 0.27 M, 0.46 M and 0.85 M on CIFAR-10. By hand, with n = (depth - 2) / 6:
    # 3x3 convolutions 9 * (3 * 16 + 2 n 16 * 16 + 16 * 32 + (2 n - 1) 32 * 32 + 32 * 64 + (2 n - 1) 64 * 64),
    # batch normalizations 2 * (16 + 2 n (16 + 32 + 64)), the linear layer 64 * 10 + 10.
    model = resnet(10, depth)
    model(CIFAR[:1])
    assert count_parameters(model) == parameters


@pytest.mark.parametrize('depth', [8, 14, 20, 110])
def test_resnet_depth_counts_convolutions_and_the_linear_layer(depth):
    links = list(resnet(10, depth).links())
    assert sum(isinstance(link, (L.Convolution2D, L.Linear)) for link in links) == depth


@pytest.mark.parametrize('depth', [-4, 0, 2, 7, 18, 21, 51])
def test_resnet_refuses_other_depths(depth):
    message = f'the depth of a resnet must be 6 n + 2 (8, 14, 20, 32, 44, 56, 110), not {depth}'
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        resnet(10, depth)


def test_a_shortcut_takes_every_second_pixel_and_adds_channels_of_zeros():
    blocks = resnet(10, 8)[3:6]  # after the check, the first convolution and its ReLU
    x = np.arange(1, 1 + 16 * 4 * 4, dtype=np.float32).reshape(1, 16, 4, 4)
    for block in blocks[:2]:
        block.second[1].gamma.array[...] = 0  # shuts the branch with the convolutions: the shortcut is left
    same, half = blocks[0](x).array, blocks[1](x).array
    assert (same == x).all()
    assert half.shape == (1, 32, 2, 2)
    assert half[0, 0].tolist() == [[1, 3], [9, 11]]
    assert half[0, 15].tolist() == [[241, 243], [249, 251]]
    assert (half[0, 16:] == 0).all()


@pytest.mark.parametrize('shape', [(4, 1, 7, 5), (4, 2, 1, 1)])
def test_resnet_takes_images_of_any_size(shape):
    assert resnet(3, 8)(np.ones(shape, np.float32)).shape == (4, 3)


@pytest.mark.parametrize('make', [cnn, resnet])
def test_what_is_no_image_is_refused(make):
    message = r'^the model needs images \(channels, height, width\), not examples of shape \(8, 8\)$'
    with pytest.raises(ValueError, match=message):
        make(10)(DIGITS[:, 0])


# ---- parameters


@pytest.mark.parametrize('make', [mlp, cnn, resnet])
def test_parameters_follow_from_the_global_seed_alone(make):
    def build(seed, draws):
        np.random.seed(seed)
        model = make(10)
        np.random.rand(draws)  # what happens before the first batch does not matter
        model(DIGITS)
        return parameters_of(model)

    first, again, other = build(3, 0), build(3, 5), build(4, 0)
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_no_two_layers_begin_alike():
    np.random.seed(0)
    model = resnet(10, 14)
    filters = [link.W.array for link in model.links() if isinstance(link, L.Convolution2D) and link.W.array is not None]
    assert len(filters) == 12
    assert len({weights.ravel()[:5].tobytes() for weights in filters}) == 12


def test_initialization_is_that_of_he():
    np.random.seed(0)
    model = resnet(10, 8)
    model(CIFAR[:1])
    # The standard deviation is sqrt(2 / inputs of a unit): 3 * 9 inputs, 64 * 9 inputs.
    assert model[1][0].W.array.std() == pytest.approx(0.2722, rel=0.1)
    assert model[5].second[0].W.array.std() == pytest.approx(0.0589, rel=0.02)
    assert model[5].second[0].W.array.mean() == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize('make', [mlp, cnn, resnet])
def test_copies_and_pickles_compute_the_same(make):
    model = make(10)
    expected = model(DIGITS).array
    for twin in model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model)):
        assert (twin(DIGITS).array == expected).all()


@pytest.mark.parametrize('spec', ['mlp', 'cnn', 'resnet:8'])
def test_training_lowers_the_loss(spec):
    np.random.seed(0)
    model = load_model(spec, 3)
    optimizer = chainer.optimizers.MomentumSGD(lr=0.05).setup(model)
    losses = []
    for _ in range(10):
        optimizer.update(model, DIGITS[:3], LABELS[:3])
        losses.append(float(model.loss.array))
    assert losses[-1] < 0.7 * losses[0]


# ---- the loss


def test_a_classifier_reports_loss_and_accuracy():
    predictor = L.Linear(2, 3, nobias=True, initialW=np.zeros((3, 2), np.float32))
    observation = observe(classifier(predictor), np.ones((4, 2), np.float32), np.array([0, 0, 0, 1], np.int32))
    assert observation == pytest.approx({'main/loss': 1.0986123, 'main/accuracy': 0.75})  # log 3; always class 0


@pytest.mark.parametrize('shape, dtype', [((2,), np.float32), ((2, 1), np.float32), ((2,), np.float64)])
def test_a_regressor_reports_the_mean_squared_error(shape, dtype):
    predictor = L.Linear(2, 1, nobias=True, initialW=np.zeros((1, 2), np.float32))
    targets = np.array([1, 3], dtype).reshape(shape)
    assert observe(regressor(predictor), np.ones((2, 2), np.float32), targets) == {'main/loss': 5}


def observe(model, *batch):
    reporter = chainer.Reporter()
    reporter.add_observer('main', model)
    observation = {}
    with reporter.scope(observation):
        model(*batch)
    return {name: float(value.array) for name, value in observation.items()}


# ---- load_model: built-in


@pytest.mark.parametrize(
    'spec, layers',
    [
        ('mlp', [(64, 100), (100, 10)]),
        ('mlp:50', [(64, 50), (50, 10)]),
        ('mlp:50,20', [(64, 50), (50, 20), (20, 10)]),
    ],
)
def test_loads_an_mlp(spec, layers):
    model = load_model(spec, 10)
    model(DIGITS, LABELS)
    assert [layer.W.shape[::-1] for layer in model.predictor if isinstance(layer, L.Linear)] == layers


@pytest.mark.parametrize('spec, depth', [('resnet', 8), ('resnet:20', 20), ('resnet:56', 56)])
def test_loads_a_resnet(spec, depth):
    model = load_model(spec, 10)
    assert isinstance(model, L.Classifier)
    assert sum(isinstance(link, (L.Convolution2D, L.Linear)) for link in model.links()) == depth


def test_float_targets_make_a_regression():
    model = load_model('mlp', None, n_targets=2)
    assert list(observe(model, DIGITS, np.zeros((4, 2), np.float32))) == ['main/loss']
    assert model.y.shape == (4, 2)


OUTPUTS = 'use mlp:50,50 (hidden units) or resnet:56 (depth)'

BAD_SPECS = [
    ('resent', "unknown model 'resent': did you mean resnet?"),
    ('resent:56', "unknown model 'resent:56': did you mean resnet?"),
    ('vgg', "unknown model 'vgg': choose from mlp, cnn, resnet, module:factory"),
    ('', "unknown model '': choose from mlp, cnn, resnet, module:factory"),
    ('resnet:', f"resnet does not take '': {OUTPUTS}"),
    ('resnet:-8', f"resnet does not take '-8': {OUTPUTS}"),
    ('resnet:20,8', f"resnet does not take '20,8': {OUTPUTS}"),
    ('resnet:21', 'the depth of a resnet must be 6 n + 2 (8, 14, 20, 32, 44, 56, 110), not 21'),
    ('cnn:3', f"cnn does not take '3': {OUTPUTS}"),
    ('mlp:0', f"mlp does not take '0': {OUTPUTS}"),
    ('mlp:50,', f"mlp does not take '50,': {OUTPUTS}"),
]


@pytest.mark.parametrize('spec, message', BAD_SPECS)
def test_a_bad_name_is_told_in_one_line(spec, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        load_model(spec, 10)


def test_a_built_in_model_needs_something_to_predict():
    with pytest.raises(ValueError, match=r'^mlp predicts a class or float targets, and the data has neither$'):
        load_model('mlp', None)


# ---- load_model: the user's own

NETS = """
    import chainer
    import chainer.functions as F
    import chainer.links as L

    def without_argument(): return L.Linear(None, 5)
    def with_classes(classes): return L.Linear(None, classes)
    def with_width(width=6): return L.Linear(None, width)
    def with_named(width=6, n_classes=9): return L.Linear(None, n_classes)
    def with_two(width, depth): return L.Linear(None, width)
    def keyword_only(*, n_classes): return L.Linear(None, n_classes)
    def anything(*args, **kwargs): return L.Linear(None, 4 + len(args) + len(kwargs))

    class Net(chainer.Chain):
        def __init__(self, n_out):
            super().__init__()
            with self.init_scope():
                self.out = L.Linear(None, n_out)

        def forward(self, x):
            return self.out(x)

    class Loss(Net):
        def forward(self, x, t):
            loss = F.softmax_cross_entropy(self.out(x), t)
            chainer.report({'loss': loss}, self)
            return loss

    class OldLoss(Net):
        def __call__(self, x, t):
            return Loss.forward(self, x, t)

    class AnyLoss(Net):
        reports_loss = True

        def forward(self, *batch):
            return Loss.forward(self, *batch)

    class Pair(Net):
        reports_loss = False

        def forward(self, x, mask):
            return self.out(x * mask)

    def ready(n): return L.Classifier(L.Linear(None, n), lossfun=F.sigmoid_cross_entropy)

    def fails(): return L.Linear(None, 1 / 0)
    def number(): return 3
    def nothing(): pass
    def the_class(): return Net
    def empty(): return chainer.Link()
    link = L.Linear(None, 5)
"""


@pytest.mark.parametrize(
    'factory, outputs',
    [
        ('without_argument', 5),
        ('with_classes', 10),
        ('with_width', 6),
        ('with_named', 10),
        ('keyword_only', 10),
        ('anything', 4),
        ('Net', 10),
    ],
)
def test_a_factory_gets_the_number_of_classes_when_it_asks_for_it(user_module, factory, outputs):
    user_module('nets', NETS)
    model = load_model(f'nets:{factory}', 10)
    assert isinstance(model, L.Classifier)
    assert model.predictor(DIGITS).shape == (4, outputs)


@pytest.mark.parametrize('factory', ['Loss', 'OldLoss', 'AnyLoss', 'ready'])
def test_a_link_that_gives_a_loss_is_used_as_it_is(user_module, factory):
    user_module('nets', NETS)
    model = load_model(f'nets:{factory}', 10)
    assert not isinstance(getattr(model, 'predictor', None), (L.Classifier, chainer.Chain))
    if factory != 'ready':
        assert list(observe(model, DIGITS, LABELS)) == ['main/loss']


def test_a_link_can_say_that_it_gives_no_loss(user_module):
    user_module('nets', NETS)
    model = load_model('nets:Pair', 10)
    assert isinstance(model, L.Classifier)
    assert sorted(observe(model, DIGITS, DIGITS, LABELS)) == ['main/accuracy', 'main/loss']


def test_a_link_for_float_targets_gets_their_number_and_a_squared_error(user_module):
    user_module('nets', NETS)
    model = load_model('nets:Net', None, n_targets=2)
    assert list(observe(model, DIGITS, np.zeros((4, 2), np.float32))) == ['main/loss']


def test_a_link_for_data_without_labels_is_used_as_it_is(user_module):
    user_module('nets', NETS)
    assert isinstance(load_model('nets:without_argument', None), L.Linear)


def test_a_factory_of_the_users_may_share_a_name_with_a_built_in_model(user_module):
    user_module('resnet', NETS)
    assert load_model('resnet:without_argument', 10).predictor(DIGITS).shape == (4, 5)


BAD_FACTORIES = [
    ('fails', 10, "'nets:fails' raised ZeroDivisionError: division by zero (nets.py, line 47)"),
    ('number', 10, "'nets:number' returned int, not a chainer.Link"),
    ('nothing', 10, "'nets:nothing' returned NoneType, not a chainer.Link"),
    ('the_class', 10, "'nets:the_class' returned the class Net, not a chainer.Link"),
    ('empty', 10, 'the link Link has no forward()'),
    ('link', 10, "'nets:link' is a link: name a function or a class that makes one"),
    ('with_two', 10, "'nets:with_two' needs width, depth: it may take one argument alone, the number of classes"),
    (
        'with_classes',
        None,
        "'nets:with_classes' takes the number of classes, and the data has neither labels nor float targets",
    ),
    ('Nett', 10, "'nets:Nett': there is no 'Nett': did you mean Net?"),
]


@pytest.mark.parametrize('factory, n_classes, message', BAD_FACTORIES)
def test_a_bad_factory_is_told_in_one_line(user_module, factory, n_classes, message):
    user_module('nets', NETS)
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        load_model(f'nets:{factory}', n_classes)


def test_a_missing_module_is_told_in_one_line(user_module):
    with pytest.raises(ValueError, match=r"^no module named 'nest', neither in /.* nor installed$"):
        load_model('nest:make', 10)
