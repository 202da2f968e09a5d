"""The build backend: setuptools', and one addition to what it builds.

What goes into an environment, as a wheel or as an editable installation, also holds ``startup.py``, under a name of its own,
and a ``.pth`` file, by which Python imports it at every start.
"""

from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  # the hooks that stay as they are
from wheel.wheelfile import WheelFile

STARTUP = Path(__file__).with_name('startup.py')
NAME = '_chainer_lrfinder_startup'


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Builds a wheel; the hook of PEP 517."""
    return _add_startup(wheel_directory, build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Builds the wheel of an editable installation; the hook of PEP 660."""
    return _add_startup(wheel_directory, build_meta.build_editable(wheel_directory, config_settings, metadata_directory))


def _add_startup(folder, name):
    built = Path(folder, name)
    unfinished = Path(folder, 'unfinished', name)
    unfinished.parent.mkdir()
    with WheelFile(built) as source, WheelFile(unfinished, 'w') as target:
        for entry in source.infolist():
            if entry.filename != source.record_path:  # written anew
                target.writestr(entry, source.read(entry))
        target.writestr(f'{NAME}.py', STARTUP.read_text(encoding='utf-8'))
        target.writestr('chainer-lrfinder.pth', f'import {NAME}\n')
    unfinished.replace(built)
    unfinished.parent.rmdir()
    return name
