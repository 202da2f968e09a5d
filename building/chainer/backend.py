"""Builds a wheel of Chainer from its last release.

Chainer's setup.py imports ``pkg_resources``, which setuptools 82 dropped, and does not say so: an installer that builds Chainer
by itself takes the newest setuptools and fails. Here ``pyproject.toml`` names an older one.
"""

import os
import subprocess
import sys
from pathlib import Path

RELEASE = 'chainer==7.8.1'


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Builds the wheel; the hook of PEP 517."""
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', 'wheel']
    here = ['--no-build-isolation', '--no-deps', '--wheel-dir', wheel_directory]
    subprocess.run([*pip, *here, RELEASE], check=True, env=_environment())
    (wheel,) = Path(wheel_directory).glob('chainer-*.whl')
    return wheel.name


def _environment():
    # What the installer tells this backend is not meant for Chainer's.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('_PYPROJECT_HOOKS_')}
    # The installer's environment is one of its own already, whatever the user demands of pip.
    return {**inherited, 'PIP_REQUIRE_VIRTUALENV': '0'}
