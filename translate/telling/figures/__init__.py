"""The figures that people judge a migration by, on both sides, and what explains where they differ."""

from translate.telling.figures.comparing import parity
from translate.telling.figures.result import Parity

__all__ = ["Parity", "parity"]
