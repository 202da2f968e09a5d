"""What to do about a package that is not installed, in one line."""

_CHAINER = (
    'Chainer is not installed: "pip install ./building/chainer" in a clone installs it, and so does '
    '"pip install \'setuptools<82\' wheel && pip install --no-build-isolation chainer==7.8.1" anywhere'
)
_OTHER = (
    '{name} is not installed: "pip install ." in a clone installs what is needed, and "make setup" all of it in .venv, '
    'to be used with .venv/bin/python'
)
_OPTUNA = "Optuna is not installed: pip install 'chainer-lrfinder[tune]'"


def explained(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """Says in the error what to install.

    Args:
        error: What an import raised.

    Returns:
        An error of one line; the same one if it is about a package that this project does not need.

    >>> print(explained(ModuleNotFoundError('No module named x', name='x')))
    No module named x
    """
    if error.name == 'chainer':
        return ModuleNotFoundError(_CHAINER, name=error.name)
    if error.name == 'optuna':
        return ModuleNotFoundError(_OPTUNA, name=error.name)
    if error.name in ('numpy', 'pandas', 'matplotlib', 'tqdm'):
        return ModuleNotFoundError(_OTHER.format(name=error.name), name=error.name)
    return error
