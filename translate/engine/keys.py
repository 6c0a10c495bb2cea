"""Keys of maps by the kernel: which there are in a batch, and its maps with other names for some of them."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Mapping, Sequence

import polars as pl

from translate import events
from translate.engine.library import library, through
from translate.notes import NOTES_TYPE

SEED = ctypes.c_uint64(secrets.randbits(64))  # no archive can know it, and so none can make its keys meet
NAMES = pl.Schema({"key": pl.String, "name": pl.String})


def keys_of(maps: Sequence[pl.Series], only: pl.Series | None = None) -> pl.DataFrame:
    """List the keys of maps: `key`, `map` (its number, from 0), in how many `rows`, and two bounds.

    `longest` are the bytes of its longest value, `most` the entries of the largest map that has it. `only` tells the rows to look at.
    """
    height = len(maps[0])
    flags = pl.Series([True]).new_from_index(0, height) if only is None else only
    numbered = [column.alias(str(number)) for number, column in enumerate(maps)]
    kernel = library()
    if kernel is None:
        return pl.concat(_keys_of(number, column.filter(flags)) for number, column in enumerate(maps))
    frame = pl.DataFrame([flags.alias("only"), *numbered])
    return through(lambda given, made: kernel.translate_keys(given, SEED, made), frame)


def _keys_of(number: int, maps: pl.Series) -> pl.DataFrame:
    """List the keys of one map without the kernel."""
    entries = pl.col("maps").map.entries()
    exploded = (
        pl.DataFrame({"maps": maps}, schema={"maps": events.MAP})
        .lazy()
        .select(entry=entries, most=entries.list.len())
        .explode("entry")
    )
    key, value = (pl.col("entry").struct.field(name) for name in ("key", "value"))
    listed = exploded.filter(pl.col("entry").is_not_null()).group_by(key=key, maintain_order=True).agg(
        map=pl.lit(number, pl.Int64), rows=pl.len().cast(pl.Int64), longest=value.str.len_bytes().max().fill_null(0).cast(pl.Int64),
        most=pl.col("most").max().cast(pl.Int64),
    )  # fmt: skip
    return listed.collect(engine="in-memory")


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
