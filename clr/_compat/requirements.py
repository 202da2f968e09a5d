"""The part of ``pkg_resources`` that ``chainer.testing`` needs: is there a package of such a version?"""

from importlib import metadata


class ResolutionError(Exception):
    """A required package is missing, or has another version."""


class WorkingSet:
    """The packages that are installed."""

    def require(self, *requirements: str) -> None:
        """Does nothing if all requirements are met.

        Args:
            *requirements: Names of packages, with or without versions, such as ``'numpy>=1.10'``.

        Raises:
            ResolutionError: One is not met.

        >>> WorkingSet().require('numpy>=1.10')
        """
        from packaging.requirements import Requirement  # comes with matplotlib and pytest

        for requirement in map(Requirement, requirements):
            try:
                version = metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                raise ResolutionError(f'{requirement.name} is not installed') from None
            if not requirement.specifier.contains(version, prereleases=True):
                raise ResolutionError(f'{requirement} is required, {version} is installed')
