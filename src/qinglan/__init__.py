"""Qinglan (晴岚): runs a city's environmental plan."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("qinglan")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
