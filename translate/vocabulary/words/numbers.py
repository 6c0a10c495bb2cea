"""Numbers: whole ones, as numbers and as text, and doubles."""

from __future__ import annotations

import polars as pl

from translate import events
from translate.vocabulary.notation import digits, first, number, whole
from translate.vocabulary.word import Scalar

WHOLE = Scalar(
    "whole", "a whole number",
    types=(events.WHOLE,), wire="whole", read=whole, write=first, example=((12,), 12), as_its_column=True,
)  # fmt: skip

WHOLE_TEXT = Scalar(
    "whole_text", "a whole number, as text",
    types=(events.WHOLE,), wire="text", read=whole, write=lambda columns: columns[0].cast(pl.String),
    example=((12,), "12"), digits_as_text=True,
)  # fmt: skip

NUMBER = Scalar(
    "number", "a number, as the shortest digits of its double",
    types=(events.NUMBER,), wire="number", read=number, write=lambda columns: digits(columns[0]), example=((2.0,), "2"),
    as_its_column=True, as_double=True, needs_finite=True,
)  # fmt: skip
