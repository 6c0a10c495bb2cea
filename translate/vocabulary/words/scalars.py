"""Single values: texts and numbers as they are, the language and country that a locale names, an event's name and phase, and ids where a receiver takes only some."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from functools import cache

import polars as pl

from translate import events
from translate.vocabulary.notation import as_it_is, digits, exchanged, first, hashing, number, whole
from translate.vocabulary.notes import FILLED_IN, SAID_ONCE, Finding
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


def _action(columns: Sequence[pl.Expr]) -> pl.Expr:
    phase, name = columns
    return phase.fill_null(exchanged(name, events.PHASES, pl.lit(None, pl.String)))


def _supplements_of_action(written: Written) -> Iterator[Finding]:
    phase, name = (pl.col(column) for column in written.hub)
    said_once = phase == written.implied_phase(name)
    yield Finding(SAID_ONCE, f"{written.place} is what the event's name says", said_once, written.hub[0])


EVENT_NAME = Scalar(
    "event_name", "an event's name, well-known ones as the model spells them",
    types=(events.TEXT,), stands_for=("name",), wire="text", read=as_it_is, write=first, why="made legal",
    spells_event=True, of_events=True, takes_table=False,
)  # fmt: skip

EVENT_KIND = Scalar(
    "event_kind", "the kind of record that an event of its name is, by the value table; any other is of the default kind, and named",
    types=(events.TEXT,), stands_for=("name",), wire="text", read=as_it_is, write=first, example=(("x",), "x"),
    tells_kind=True, of_events=True,
)  # fmt: skip

ACTION = Scalar(
    "action", "START, UPDATE or END; by the name where the event has no phase",
    types=(events.TEXT, events.TEXT), columns=(2, 2), stands_for=("phase", "name"), wire="text",
    read=as_it_is, write=_action, example=((None, "session.stop"), "END"), supplements=_supplements_of_action,
    gives_action=True, of_events=True, takes_table=False,
)  # fmt: skip

ORIGINAL_NAMES = Scalar(
    "original_names", "JSON text of the names that the target could not take as they were",
    columns=(0, 0), wire="text", read=as_it_is,
    also_gives=("name",),  # of which event a name that several have is
    travels_with_names=True, of_events=True, takes_other_places=False,
)  # fmt: skip


UUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"


def uuid_of(text: str) -> str:
    """Give the name-based UUID of an id; none of one with half of a surrogate pair, which no text has.

    >>> uuid_of("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11-2")
    'dbdfc127-081c-574c-a1a9-c6eaf3183258'
    """
    try:
        return str(uuid.uuid5(uuid.UUID(events.NAMESPACE), text))
    except UnicodeEncodeError:
        return ""


def _uuids(column: pl.Expr) -> pl.Expr:
    made: pl.Expr = hashing(column).uuidhash.uuid5(namespace=events.NAMESPACE)
    return made


@cache
def _fitting(form: str) -> Scalar:
    return Scalar(
        "fitting_id", "an id as it is if it is of the form that `fits` says, a UUID unless said; else the UUID of its hash",
        types=(events.TEXT,), wire="text", read=as_it_is,
        write=lambda columns: pl.when(columns[0].str.contains(form)).then(columns[0]).otherwise(_uuids(columns[0])),
        changed=lambda columns: ~columns[0].str.contains(form), why="not of a form that is taken: the UUID of its hash",
        example=(("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11",), "0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11"),
        is_made_short=True, of_form=_fitting,
    )  # fmt: skip


@cache
def _unfit(form: str) -> Scalar:
    return Scalar(
        "unfit_id", "an id that is not of the form that `fits` says, beside the UUID of its hash",
        types=(events.TEXT,), wire="text", read=as_it_is,
        write=lambda columns: pl.when(~columns[0].str.contains(form)).then(columns[0]),
        example=(("0f4c3c1e-5b1d-4f3a-9a57-2d7f0f6f8b11",), None), confirms=uuid_of, of_form=_unfit,
    )  # fmt: skip


FITTING_ID, UNFIT_ID = _fitting(UUID), _unfit(UUID)


def _is_short(session: pl.Expr) -> pl.Expr:
    return session.str.len_chars().is_between(8, 20)


def _short(columns: Sequence[pl.Expr]) -> pl.Expr:
    session = columns[0]
    digest = hashing(session).chash.sha2_256().str.slice(0, 20)
    return pl.when(_is_short(session)).then(session).otherwise(digest)


SHORT_SESSION = Scalar(
    "short_session", "a session id of 8 to 20 characters, else 20 characters of its SHA-256",
    types=(events.TEXT,), wire="text", write=_short,
    read=lambda text: pl.when(text != "").then(text),  # a client that has no session sends an empty one
    changed=lambda columns: ~_is_short(columns[0]), why="hashed to 20 characters",
    example=(("8nc92io9q",), "8nc92io9q"), empty_is_absent=True, is_made_short=True,
)  # fmt: skip

LONG_SESSION = Scalar(
    "long_session", "a session id that is not of 8 to 20 characters",
    types=(events.TEXT,), wire="text", read=as_it_is,
    write=lambda columns: pl.when(~_is_short(columns[0])).then(columns[0]),
    example=(("8nc92io9q",), None), confirms_session=True,
    confirms=lambda text: hashlib.sha256(text.encode()).hexdigest()[:20],
)  # fmt: skip
