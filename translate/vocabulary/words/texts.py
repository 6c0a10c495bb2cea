"""Texts as they are, and what stands for one of several."""

from __future__ import annotations

import polars as pl

from translate import events
from translate.vocabulary.notation import as_it_is, first
from translate.vocabulary.word import Scalar

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
