"""Language and country, which a locale may name."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from translate import events
from translate.conversion.report import FILLED_IN, Finding
from translate.vocabulary.notation import as_it_is
from translate.vocabulary.word import Scalar, Written

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
