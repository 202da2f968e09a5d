"""What the user names as ``module:factory``: found, imported and called; every failure is one line."""

import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any

import clr
from lrfinder._names import printable, suggest

_MISSING = object()
_OURS = os.path.dirname(os.path.dirname(__file__)), os.path.dirname(str(clr.__file__))
_NOT_THE_USERS = ('<', *(os.path.join(folder, '') for folder in (sysconfig.get_path('stdlib'), *_OURS)))
_LONGEST_MESSAGE = 500


def is_factory(spec: str) -> bool:
    """Tells ``module:factory`` from a built-in name with an argument.

    >>> is_factory('nets:make'), is_factory('resnet:56'), is_factory('resnet')
    (True, False, False)
    """
    _, colon, attribute = spec.rpartition(':')
    return bool(colon) and _is_dotted_name(attribute)


def load_object(spec: str) -> Any:
    """Imports ``module`` and returns its ``factory``.

    Modules are looked for in the current folder first, as ``python -m`` does; the folder stays on
    ``sys.path``, for what the factory imports when it is called.

    Args:
        spec: ``module:factory``; both may have dots, as in ``package.module:Class.method``.

    Raises:
        ValueError: ``spec`` is not of this form, or the module can't be found or fails while it is imported,
            or it has no such factory, or that can't be called.

    >>> load_object('math:hypot')(3, 4)
    5.0
    """
    module_name, colon, attribute = spec.rpartition(':')
    if not (colon and _is_dotted_name(module_name) and _is_dotted_name(attribute)):
        raise ValueError(f'{spec!r} is not of the form module:factory, such as nets:make or package.nets:make')
    found = _import_module(module_name)
    for name in attribute.split('.'):
        found = _attribute(spec, found, name)
    if not callable(found):
        raise ValueError(f'{spec!r} is of type {type(found).__name__}: name a function or a class')
    return found


def call_factory(spec: str, factory: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls what ``spec`` names, ``factory(*args, **kwargs)``.

    Raises:
        ValueError: It raised an exception (which is the error's cause), or tried to end the program.

    >>> call_factory('math:hypot', load_object('math:hypot'), 3, 4)
    5.0
    """
    try:
        return factory(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ValueError(f'{spec!r} raised {describe(error)}') from error


def describe(error: BaseException) -> str:
    """Tells an exception in one line: its class, its message, and the user's line that raised it.

    >>> describe(KeyError('width'))
    "KeyError: 'width'"
    """
    try:
        message = printable(' '.join(str(error).split()), _LONGEST_MESSAGE)
    except Exception:  # its own __str__ fails
        message = ''
    name = printable(type(error).__name__)
    return (f'{name}: {message}' if message else name) + _place(error)


def is_the_users(filename: str) -> bool:
    """Whether a source file is the user's own: not Python's, not an installed package's, not ours.

    >>> is_the_users('nets.py'), is_the_users(os.__file__)
    (True, False)
    """
    return not (filename.startswith(_NOT_THE_USERS) or '-packages' in filename)


def hint(spec: str) -> str:
    """What a misspelt ``module:factory`` should have been, as the end of an error message; empty where it is no such thing.

    >>> with open('nets.py', 'w') as file:
    ...     _ = file.write('def make(): ...')
    >>> hint('nets.py'), hint('nets.make'), hint('resent')
    ('name what makes it, such as nets:make', 'did you mean nets:make?', '')
    """
    module, dot, attribute = spec.rpartition('.')
    if dot and attribute != 'py' and _is_module(module):
        return f'did you mean {module}:{attribute}?'
    module = spec.removesuffix(':').removesuffix('.py').replace(os.sep, '.')
    return f'name what makes it, such as {module}:make' if spec.endswith('.py') or _is_module(module) else ''


def _is_module(name: str) -> bool:
    """Whether there is such a module in the current folder."""
    path = os.path.join(*name.split('.')) if _is_dotted_name(name) else ''
    return bool(path) and (os.path.isfile(f'{path}.py') or os.path.isfile(os.path.join(path, '__init__.py')))


def _import_module(name: str) -> Any:
    try:
        folder = os.getcwd()
    except OSError as error:
        raise ValueError(f'the current folder, where {name!r} is looked for, is gone') from error
    sys.path[:] = [folder, *(other for other in sys.path if other != folder)]
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that is missing further inside is a fault of the user's module, and not of its name.
        if error.name is None or not f'{name}.'.startswith(f'{error.name}.'):
            raise ValueError(_import_failure(name, error)) from error
        hint = '; drop .py' if name.endswith('.py') else ''
        raise ValueError(f'no module named {error.name!r}, neither in {folder} nor installed{hint}') from error
    except SystemExit as error:
        raise ValueError(
            f'importing {name!r} ended the program ({describe(error)}): put what it runs as a script under '
            "if __name__ == '__main__':"
        ) from error
    except Exception as error:
        raise ValueError(_import_failure(name, error)) from error


def _attribute(spec: str, owner: Any, name: str) -> Any:
    found = call_factory(spec, getattr, owner, name, _MISSING)
    if found is _MISSING:
        public = [known for known in dir(owner) if not known.startswith('_')]
        raise ValueError(f'{spec!r}: there is no {name!r}: {suggest(name, public)}')
    return found


def _import_failure(name: str, error: Exception) -> str:
    return f'importing {name!r} raised {describe(error)}'


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split('.'))


def _place(error: BaseException) -> str:
    """The innermost line of the user's own code on the way to the error; a SyntaxError has its line in it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_the_users(frame.filename)]
    if not own or isinstance(error, SyntaxError):
        return ''
    return f' ({os.path.basename(own[-1].filename)}, line {own[-1].lineno})'
