"""The version of this package, as installed; a plain checkout says so."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("translate-events")
except PackageNotFoundError:
    VERSION = "0.1.0"
