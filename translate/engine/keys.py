"""Keys of maps by the kernel: which there are in a batch, and its maps with other names for some of them."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Mapping, Sequence

import polars as pl

from translate import events
from translate.engine.library import through
from translate.notes import NOTES_TYPE

SEED = ctypes.c_uint64(secrets.randbits(64))  # no archive can know it, and so none can make its keys meet
NAMES = pl.Schema({"key": pl.String, "name": pl.String})


def keys_of(kernel: ctypes.CDLL, maps: Sequence[pl.Series], only: pl.Series | None = None) -> pl.DataFrame:
    """List the keys of maps: `key`, `map` (its number, from 0), in how many `rows`, the bytes of its `longest` value.

    `only` tells the rows to look at.
    """
    height = len(maps[0])
    flags = pl.Series([True]).new_from_index(0, height) if only is None else only
    frame = pl.DataFrame(
        [flags.alias("only"), *(column.alias(str(number)) for number, column in enumerate(maps))]
    )
    return through(lambda given, made: kernel.translate_keys(given, SEED, made), frame)


def renamed(
    kernel: ctypes.CDLL,
    maps: Mapping[str, pl.Series],
    names: Mapping[str, str | None],
    notes: Sequence[str],
) -> pl.DataFrame:
    """Give maps that lie together in a row, in the order of what they are called, under other names for some keys.

    Beside them `names`, JSON members that tell the keys by their new names; `notes`, each of the texts given for its map with the
    key behind it; and `odd`, for rows that stay as they are: they have a key without a name, or two of one name.
    """
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(maps.values())])
    told = pl.DataFrame({"key": [*names], "name": [*names.values()]}, schema=NAMES)
    kinds, heads = _texts(list(maps)), _texts(notes)
    found = through(
        lambda given, named, made: kernel.translate_renamed(given, named, SEED, kinds, heads, made),
        frame,
        told,
    )
    renamed_maps = {name: pl.col(str(number)).cast(events.MAP) for number, name in enumerate(maps)}
    odd = pl.col("odd").is_not_null()
    return found.select(**renamed_maps, names="names", notes=pl.col("notes").cast(NOTES_TYPE), odd=odd)


def _texts(texts: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
