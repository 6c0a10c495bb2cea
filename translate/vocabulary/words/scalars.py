"""Single texts and numbers: as they are, the first of several, and the language and country that a locale names."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from translate import events
from translate.conversion.report import FILLED_IN, Finding
from translate.vocabulary.notation import as_it_is, digits, first, number, whole
from translate.vocabulary.word import Scalar, Written

TEXT = Scalar(
    "text", "text as it is",
    types=(events.TEXT,), wire="text", read=as_it_is, write=first, example=(("ünï",), "ünï"),
    is_default=True, as_its_column=True,
)  # fmt: skip

APP_ID = Scalar(
    "app_id", "an application's id, exchanged as the settings say",
    types=(events.TEXT,), wire="text", read=as_it_is, write=first, why="exchanged by the settings",
    is_app_id=True, as_its_column=True, takes_table=False,
)  # fmt: skip

FIRST_OF = Scalar(
    "first_of", "the first of several columns that is there",
    types=(events.TEXT,), columns=(2, 9), wire="text", read=as_it_is, write=lambda columns: pl.coalesce(*columns),
    example=((None, "b"), "b"),
    first_of_several=True, made_of_several=True, in_figures="one id for whoever it was",
)  # fmt: skip

OWN_COLUMN = Scalar(
    "own_column", "a column of the dataset's own, as its type takes it",
    types=(events.MAP,), carries=0, wire="text", read=as_it_is, of_mappings=False,
)  # fmt: skip


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


# The beginning of a locale, as Java, iOS and browsers write it: a language, perhaps a script, a country of two letters.
OF_LANGUAGE = r"^([A-Za-z]{2,3})(?:[^0-9A-Za-z]|$)"
OF_COUNTRY = r"^[A-Za-z]{2,3}(?:[_-][A-Za-z]{4})?[_-]([A-Za-z]{2})(?:[^0-9A-Za-z]|$)"


def _supplements(written: Written) -> Iterator[Finding]:
    own, locale = written.hub
    filled_in = pl.col(own).is_null() & written.value.is_not_null()
    yield Finding(FILLED_IN, f"{written.place} is what the event's {locale} says", filled_in, own)


LANGUAGE = Scalar(
    "language", "the language, else the one that the locale names",
    types=(events.TEXT,), columns=(2, 2), wire="text", read=as_it_is,
    write=lambda columns: columns[0].fill_null(columns[1].str.extract(OF_LANGUAGE).str.to_lowercase()),
    example=((None, "zh-Hans_CN"), "zh"), supplements=_supplements, made_of_several=True,
)  # fmt: skip

COUNTRY = Scalar(
    "country", "the country, else the one that the locale names",
    types=(events.TEXT,), columns=(2, 2), wire="text", read=as_it_is,
    write=lambda columns: columns[0].fill_null(columns[1].str.extract(OF_COUNTRY).str.to_uppercase()),
    example=((None, "sr_RS_#Latn"), "RS"), supplements=_supplements, made_of_several=True,
)  # fmt: skip
