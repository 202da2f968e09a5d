"""Range tests with several workers: real processes, started by mpiexec."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import lrfinder
from lrfinder.cli.main import main
from lrfinder.engine.workers import Workers, workers_of

import chainer
import numpy as np
import pytest

MPIEXEC = shutil.which('mpiexec', path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')]))


def mpi(test):
    """Marks a test that starts several processes."""
    missing = importlib.util.find_spec('mpi4py') is None or MPIEXEC is None
    return pytest.mark.mpi(pytest.mark.skipif(missing, reason="mpi4py or mpiexec is missing: pip install '.[mpi]'")(test))


LIMIT = 1000  # seconds: against hangs alone, far more than a busy machine takes

# What a user's own ChainerMN script has before it comes to us. Each worker begins with other weights and other random state.
SCRIPT = """
import json, os, signal, sys
import clr
import chainer, chainermn, numpy as np
import chainer.links as L
from chainer import iterators, optimizers, training
from chainer.training import extensions
import lrfinder

comm = chainermn.create_communicator('naive')


class Model(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.linear = L.Linear(8, 3)
        self.losses = []

    def forward(self, x, t):
        loss = chainer.functions.softmax_cross_entropy(self.linear(x), t)
        self.losses.append(float(loss.array))
        chainer.report({'loss': loss, 'accuracy': chainer.functions.accuracy(self.linear(x), t)}, self)
        return loss


def share(examples, seed):
    random = np.random.RandomState(seed)
    x = random.normal(size=(examples, 8)).astype('f')
    data = chainer.datasets.TupleDataset(x, (x[:, :3] + random.normal(size=(examples, 3))).argmax(1).astype('i'))
    return chainermn.scatter_dataset(data if comm.rank == 0 else None, comm)


def build():
    np.random.seed(comm.rank)
    model = Model()
    optimizer = chainermn.create_multi_node_optimizer(optimizers.MomentumSGD(), comm).setup(model)
    updater = training.StandardUpdater(iterators.SerialIterator(share(240, 0), 8), optimizer)
    evaluator = extensions.Evaluator(iterators.SerialIterator(share(60, 1), 20, repeat=False, shuffle=False), model)
    return updater, chainermn.create_multi_node_evaluator(evaluator, comm)


def tell(**what):
    with open(f'rank{comm.rank}.json', 'w') as file:
        json.dump(what, file)
"""


def run(command, workers, folder):
    """Starts so many processes; the exit status and what they wrote to standard output and standard error."""
    return start(['-n', str(workers), sys.executable, *command], folder)


def command(*workers, folder):
    """The same for the command, with arguments for each worker."""
    parts = [['-n', '1', sys.executable, '-m', 'lrfinder', *arguments] for arguments in workers]
    return start([word for part in parts for word in [':', *part]][1:], folder)


def start(arguments, folder, limit=LIMIT):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(Path(lrfinder.__file__).parents[1])}
    process = subprocess.Popen(
        [MPIEXEC, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f'it hangs: {process.communicate()}')
    return process.returncode, out, err


def told(body, workers, folder):
    """What each worker told by ``tell`` in a script of the user's that goes on with ``body``."""
    (folder / 'script.py').write_text(SCRIPT + textwrap.dedent(body))
    status, out, err = run(['script.py'], workers, folder)
    assert status == 0, out + err
    return [json.loads((folder / f'rank{rank}.json').read_text()) for rank in range(workers)]


@mpi
def test_find_gives_every_worker_the_same_answer_and_leaves_it_as_it_was(tmp_path):
    body = """
        def state(updater):
            optimizer, iterator = updater.get_optimizer('main'), updater.get_iterator('main')
            weights = {name: param.array.tolist() for name, param in sorted(optimizer.target.namedparams())}
            return [weights, optimizer.t, optimizer.lr, optimizer.target_params, iterator.current_position,
                    np.random.get_state()[1].tolist()]

        def trained(updater):
            for _ in range(5):
                updater.update()
            return state(updater)

        untouched = trained(build()[0])
        updater, evaluator = build()
        before = state(updater)
        result = lrfinder.find(updater, evaluator=evaluator)
        tell(curve=result.curve.to_csv(), suggestion=result.suggestion.to_json(), restored=state(updater) == before,
             weights=before[0], same_training=trained(updater) == untouched)
    """
    found = told(body, 2, tmp_path)
    assert all(one['restored'] and one['same_training'] for one in found)
    assert len({str(one['weights']) for one in found}) == 2  # the weights that each had before the first update
    assert len({one['curve'] for one in found}) == len({one['suggestion'] for one in found}) == 1
    low, high = json.loads(found[0]['suggestion'])['value_range']
    assert 0 < low < high


@mpi
def test_each_row_is_the_mean_over_the_workers_and_the_first_update_is_none(tmp_path):
    body = """
        updater, evaluator = build()
        test = lrfinder.LRRangeTest('lr', (0.0, 1.0), 25)
        trainer = training.Trainer(updater, (100, 'iteration'))
        trainer.extend(evaluator, trigger=(5, 'iteration'))
        trainer.extend(test)
        if comm.rank == 0:
            trainer.extend(lambda _: test.curve)  # what one worker does alone makes it wait for nobody
            trainer.extend(extensions.snapshot(), trigger=(7, 'iteration'))
        trainer.run()
        curve = test.curve
        tell(rates=curve['lr'].tolist(), losses=curve['main/loss'].tolist(), updates=updater.iteration,
             validation=curve['validation/main/loss'].dropna().tolist(), reason=test.stop_reason)
    """
    own = """
        updater, _ = build()
        optimizer = updater.get_optimizer('main')
        updater.update()
        for rate in np.linspace(0, 1, 25):
            optimizer.lr = float(rate)
            updater.update()
        tell(losses=optimizer.target.losses)
    """
    ours = told(body, 2, tmp_path)
    theirs = told(own, 2, tmp_path)
    assert ours[0] == ours[1]
    assert ours[0]['updates'] == 26
    assert ours[0]['rates'] == np.linspace(0, 1, 25).tolist()
    means = np.mean([one['losses'][1:] for one in theirs], axis=0)
    np.testing.assert_allclose(ours[0]['losses'], means, rtol=1e-6)
    assert len(ours[0]['validation']) == 5
    assert ours[0]['reason'] == 'the ramp has reached its end, 1'


@mpi
def test_a_nan_of_one_worker_stops_all_in_the_same_row(tmp_path):
    body = """
        updater, evaluator = build()
        model = updater.get_optimizer('main').target
        forward = model.forward

        def forward_and_report_nan(x, t):
            loss = forward(x, t)
            if comm.rank == 2 and len(model.losses) == 1 + 13:
                chainer.report({'loss': float('nan')}, model)
            return loss

        model.forward = forward_and_report_nan
        test = lrfinder.LRRangeTest('lr', (0.0, 0.1), 40)
        trainer = training.Trainer(updater, (100, 'iteration'))
        trainer.extend(test)
        trainer.run()
        tell(curve=test.curve.to_csv(), rows=len(test.curve), reason=test.stop_reason, updates=updater.iteration)
    """
    found = told(body, 3, tmp_path)
    assert found[0] == found[1] == found[2]
    assert found[0]['rows'] == 13
    assert found[0]['reason'] == 'the loss is not finite (nan)'
    assert found[0]['updates'] == 1 + 20  # noticed at the end of the block


@mpi
def test_a_test_goes_on_from_a_snapshot_of_the_first_worker(tmp_path):
    body = """
        def trained(iterations, snapshot=None):
            updater, evaluator = build()
            test = lrfinder.LRRangeTest('lr', (0.0, 0.5), 30)
            trainer = training.Trainer(updater, (iterations, 'iteration'), out='.')
            trainer.extend(test)
            if snapshot is not None:
                updater.update()  # sends the weights around, so that none of what is loaded is sent over
                chainer.serializers.load_npz(snapshot, trainer)
            trainer.run()
            if comm.rank == 0:
                chainer.serializers.save_npz(f'at{iterations}', trainer)
            comm.mpi_comm.barrier()
            return test

        whole = trained(100)
        trained(14)
        resumed = trained(100, 'at14')
        tell(rates=resumed.curve['lr'].tolist() == whole.curve['lr'].tolist(), curve=resumed.curve.to_csv(),
             reason=resumed.stop_reason)
    """
    found = told(body, 2, tmp_path)
    assert found[0] == found[1]
    assert found[0]['rates'] and found[0]['reason'] == 'the ramp has reached its end, 0.5'


@mpi
def test_an_evaluator_on_some_workers_only_is_refused_by_all(tmp_path):
    body = """
        updater, evaluator = build()
        try:
            lrfinder.find(updater, evaluator=evaluator if comm.rank == 0 else None)
        except ValueError as error:
            tell(error=str(error))
    """
    expected = {'error': 'whether there is an evaluator is not the same in all workers; give all of them the same'}
    assert told(body, 2, tmp_path) == [expected, expected]


@mpi
def test_when_one_worker_is_killed_the_others_end_with_an_error(tmp_path):
    body = """
        updater, evaluator = build()
        model = updater.get_optimizer('main').target
        forward = model.forward

        def forward_and_die(x, t):
            if comm.rank == 1 and len(model.losses) == 50:
                os.kill(os.getpid(), signal.SIGKILL)
            return forward(x, t)

        model.forward = forward_and_die
        lrfinder.find(updater, evaluator=evaluator)
        print('found')
    """
    (tmp_path / 'script.py').write_text(SCRIPT + textwrap.dedent(body))
    status, out, _ = run(['script.py'], 3, tmp_path)
    assert status != 0
    assert 'found' not in out


# The command


@mpi
def test_the_command_writes_and_speaks_once(tmp_path):
    status, out, err = run(['-m', 'lrfinder', '--communicator', 'naive', '--batchsize', '16', '--epoch', '2'], 2, tmp_path)
    assert status == 0, out + err
    assert out.count('value_range:') == 1
    assert '# Workers: 2' in out
    suggestion = lrfinder.Suggestion.load(tmp_path / 'result' / 'suggestion.json')
    assert suggestion.batchsize == 32
    assert suggestion.reasons['batchsize'].startswith('the range holds for updates with 32 examples (2 workers with 16 each);')
    assert suggestion.iterations_per_epoch == 45  # of 719 examples, the half of 1437
    assert len(lrfinder.read_curve(tmp_path / 'result' / 'curve.csv')) > 10
    assert (tmp_path / 'result' / 'range_test.png').exists()
    assert [path.name for path in tmp_path.iterdir()] == ['result']


USERS = """
    import chainer, mpi4py.MPI
    import chainer.links as L

    class Indifferent(chainer.Chain):
        reports_loss = True

        def __init__(self):
            super().__init__()
            with self.init_scope():
                self.linear = L.Linear(64, 1)

        def forward(self, x, t):
            loss = 1 + 0 * chainer.functions.mean(self.linear(x))
            chainer.report({'loss': loss}, self)
            return loss

    class Failing(Indifferent):
        def forward(self, x, t):
            if mpi4py.MPI.COMM_WORLD.rank == 1:
                raise ValueError('a broken cable')
            return super().forward(x, t)
"""


@mpi
@pytest.mark.parametrize(
    'model, status, line',
    [
        ('users:Indifferent', 1, 'lrfinder: no range: '),
        ('users:Failing', 2, 'lrfinder: error: --model users:Failing on --dataset digits: a broken cable (users.py, line 21)'),
        ('users:Missing', 2, "lrfinder: error: --model: 'users:Missing': there is no 'Missing'"),
    ],
)
def test_the_command_ends_everywhere_and_says_once_why(model, status, line, tmp_path):
    (tmp_path / 'users.py').write_text(textwrap.dedent(USERS))
    ended, out, err = run(['-m', 'lrfinder', '--communicator', 'naive', '--model', model], 2, tmp_path)
    assert ended == status, out + err
    said = [said for said in err.splitlines() if said.startswith('lrfinder:')]
    assert len(said) == 1, err
    assert said[0].startswith(line)


@pytest.mark.parametrize(
    'arguments, line',
    [
        (['--communicator', 'ethernet'], "--communicator: unknown communicator 'ethernet'"),
        (['--communicator', 'naive', '--jobs', '2'], '--jobs cannot be combined with --communicator'),
        (['--communicator', 'naive', '--curve', 'log'], '--curve only reads a recorded curve: drop --communicator'),
    ],
)
def test_what_does_not_go_with_a_communicator_is_refused(arguments, line, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f'lrfinder: error: {line}')


def test_without_mpi_the_error_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'mpi4py', None)
    monkeypatch.setitem(sys.modules, 'mpi4py.MPI', None)
    assert main(['--communicator', 'naive']) == 2
    error = capsys.readouterr().err
    assert error.startswith('lrfinder: error: --communicator naive: ')
    assert "pip install 'chainer-lrfinder[mpi]'" in error
    assert error.count('\n') == 1


NAIVE = ['--communicator', 'naive', '--iterations', '60', '--quiet']
ALIKE = 'is not the same in all workers; give all of them the same'


@mpi
@pytest.mark.parametrize(
    'first, second, line',
    [
        (NAIVE, [*NAIVE, '--optimiser'], 'unknown flag --optimiser: did you mean --optimizer?'),
        ([*NAIVE, '--seed', 'x'], NAIVE, "--seed: must be a whole number from 0 to 4,294,967,295, not 'x'"),
        (NAIVE, [*NAIVE, '--seed', '3'], f'--seed {ALIKE}'),
        (NAIVE, ['--iterations', '60', '--quiet'], f'--communicator {ALIKE}'),
        ([*NAIVE, '--dataset', 'users:data'],) * 2 + (f'--dataset: the data {ALIKE}',),
        ([*NAIVE, '--model', 'users:model'],) * 2 + (f'--model: the model {ALIKE}',),
    ],
)
def test_none_waits_for_a_worker_that_was_given_something_else(first, second, line, tmp_path):
    users = """
        import chainer, mpi4py.MPI, numpy as np
        import chainer.links as L

        rank = mpi4py.MPI.COMM_WORLD.rank

        def data():
            x = np.random.RandomState(rank).normal(size=(200, 8)).astype('f')
            return chainer.datasets.TupleDataset(x, (x[:, 0] > 0).astype('i'))

        def model(n_classes):
            return chainer.Sequential(L.Linear(8 + rank, 8), L.Linear(8, n_classes))
    """
    (tmp_path / 'users.py').write_text(textwrap.dedent(users))
    status, out, err = command(first, second, folder=tmp_path)
    assert (status, out) == (2, '')
    assert [said for said in err.splitlines() if said.startswith('lrfinder:')] == [f'lrfinder: error: {line}']


@mpi
def test_processes_that_do_not_ask_for_each_other_go_alone(tmp_path):
    alone = ['--model', 'mlp:10', '--iterations', '60', '--quiet', '--out']
    status, out, err = command([*alone, 'a'], [*alone, 'b'], folder=tmp_path)
    assert (status, err) == (0, '')
    first, second = out.splitlines()
    assert first == second


@mpi
@pytest.mark.parametrize('number, status', [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_curve_of_the_first_worker_is_kept_where_another_is_ended(number, status, tmp_path, monkeypatch):
    users = """
        import chainer, mpi4py.MPI, os, time
        import chainer.links as L

        class Ended(L.Linear):
            updates = 0

            def forward(self, x):
                Ended.updates += 1
                if Ended.updates == 60 and mpi4py.MPI.COMM_WORLD.rank == 1:
                    os.kill(os.getpid(), int(os.environ['USERS_SIGNAL']))
                return super().forward(x)

        def make(n_classes):
            return Ended(None, n_classes)
    """
    (tmp_path / 'users.py').write_text(textwrap.dedent(users))
    monkeypatch.setenv('USERS_SIGNAL', str(int(number)))
    ended, out, err = command(*[[*NAIVE, '--model', 'users:make']] * 2, folder=tmp_path)
    assert (ended, out) == (status, '')
    line = 'lrfinder: worker 1 was interrupted; what was recorded is in result'
    assert [said for said in err.splitlines() if said.startswith('lrfinder:')] == [line]
    assert len(lrfinder.read_curve(tmp_path / 'result' / 'curve.csv')) >= 10


@mpi
def test_one_worker_gives_the_answer_of_none(tmp_path):
    alone = ['--model', 'mlp:10', '--iterations', '60', '--quiet']
    _, without, _ = run(['-m', 'lrfinder', *alone], 1, tmp_path)
    status, out, err = run(['-m', 'lrfinder', *alone, '--communicator', 'naive'], 1, tmp_path)
    assert (status, out) == (0, without), err


# One process


def test_one_process_works_alone():
    optimizer = chainer.optimizers.SGD().setup(chainer.links.Linear(1, 1))
    updater = chainer.training.StandardUpdater(chainer.iterators.SerialIterator([1], 1), optimizer)
    assert type(workers_of(updater)) is Workers
    assert Workers().mean([1.0, 2.0]) == [1.0, 2.0]


@mpi
def test_workers_that_share_batches_by_a_multi_node_iterator_get_one_answer(tmp_path):
    body = """
        np.random.seed(comm.rank)
        model = Model()
        optimizer = chainermn.create_multi_node_optimizer(optimizers.MomentumSGD(), comm).setup(model)
        data = share(240, 0)
        shared = iterators.SerialIterator(data, 8) if comm.rank == 0 else chainer.dataset.Iterator()
        iterator = chainermn.iterators.create_multi_node_iterator(shared, comm)
        s = lrfinder.find(training.StandardUpdater(iterator, optimizer), value_range=(0.0, 1.0), iterations=20).suggestion
        tell(value_range=s.value_range, judged_by=s.reasons['judged_by'])
    """
    first, second = told(body, 2, tmp_path)
    assert first == second
    assert first['judged_by'] == 'the training loss of each batch before it is trained on'


@mpi
def test_workers_hold_examples_out_where_all_of_them_can(tmp_path):
    body = """
        data = share(240, 0)
        few = data[:16] if comm.rank == 1 else data
        optimizer = chainermn.create_multi_node_optimizer(optimizers.MomentumSGD(), comm).setup(Model())
        updater = training.StandardUpdater(iterators.SerialIterator(few, 8), optimizer)
        s = lrfinder.find(updater, value_range=(0.0, 1.0), iterations=20).suggestion
        tell(value_range=s.value_range, judged_by=s.reasons['judged_by'])
    """
    first, second = told(body, 2, tmp_path)
    assert first == second
    assert first['judged_by'] == 'the training loss of each batch before it is trained on'


@mpi
def test_a_model_that_is_spread_over_workers_is_refused_by_all_of_them(tmp_path):
    body = """
        class Part(chainermn.MultiNodeChainList):
            def __init__(self):
                super().__init__(comm)
                out = None if comm.rank else 1
                self.add_link(L.Linear(8, 3), rank_in=0 if comm.rank else None, rank_out=out)

        optimizer = optimizers.SGD().setup(Part())
        try:
            lrfinder.find(training.StandardUpdater(iterators.SerialIterator(share(240, 0), 8), optimizer))
        except ValueError as error:
            tell(error=str(error))
    """
    for worker in told(body, 2, tmp_path):
        assert worker['error'] == (
            'Part spreads the model over workers, of which only one has the loss; '
            'run the range test on the whole model in one process'
        )


@mpi
def test_none_waits_for_a_worker_that_failed(tmp_path):
    body = """
        updater, evaluator = build()
        if comm.rank == 1:
            updater.get_iterator('main').dataset = ['no examples'] * 120
        lrfinder.find(updater, evaluator=evaluator)
    """
    (tmp_path / 'script.py').write_text(SCRIPT + textwrap.dedent(body))
    status, _, err = run(['script.py'], 2, tmp_path)
    assert status != 0
    assert 'lrfinder: a worker failed, which ends all: ' in err
