"""A session's id where its length is limited."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import polars as pl
import polars_hash

from translate import events
from translate.vocabulary.notation import as_it_is
from translate.vocabulary.word import Scalar


def _is_short(session: pl.Expr) -> pl.Expr:
    return session.str.len_chars().is_between(8, 20)


def _unless_empty(text: pl.Expr) -> pl.Expr:
    """Read an empty text as absent: a client that has no session sends one."""
    return pl.when(text != "").then(text)


def _digest(column: pl.Expr, length: int) -> pl.Expr:
    """Give the first characters of a text's SHA-256 in hexadecimal."""
    hashing: Any = polars_hash.HExpr._from_pyexpr(column._pyexpr)  # noqa: SLF001  its namespaces hang on its own class
    hashed: pl.Expr = hashing.chash.sha2_256()
    return hashed.str.slice(0, length)


def _short(columns: Sequence[pl.Expr]) -> pl.Expr:
    session = columns[0]
    return pl.when(_is_short(session)).then(session).otherwise(_digest(session, 20))


def _long(columns: Sequence[pl.Expr]) -> pl.Expr:
    return pl.when(~_is_short(columns[0])).then(columns[0])


SHORT_SESSION = Scalar(
    "short_session", "a session id of 8 to 20 characters, else 20 characters of its SHA-256",
    types=(events.TEXT,), wire="text", read=_unless_empty, write=_short,
    changed=lambda columns: ~_is_short(columns[0]), why="hashed to 20 characters",
    example=(("8nc92io9q",), "8nc92io9q"), empty_is_absent=True, is_made_short=True,
)  # fmt: skip

LONG_SESSION = Scalar(
    "long_session", "a session id that is not of 8 to 20 characters",
    types=(events.TEXT,), wire="text", read=as_it_is, write=_long,
    example=(("8nc92io9q",), None), confirms_session=True,
    confirms=lambda text: hashlib.sha256(text.encode()).hexdigest()[:20],
)  # fmt: skip
