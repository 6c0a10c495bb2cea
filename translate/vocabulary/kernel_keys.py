"""Keys of maps by the kernel: which there are in a batch, and its maps with other names for some of them."""

from __future__ import annotations

import ctypes
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from translate import events
from translate.engine.library import library, through
from translate.vocabulary import notes
from translate.vocabulary.notation import quoted
from translate.vocabulary.notes import NOTES_TYPE, RENAMED, RETYPED

SEED = ctypes.c_uint64(secrets.randbits(64))  # no archive can know it, and so none can make its keys meet
NAMES = pl.Schema({"key": pl.String, "name": pl.String})


def keys_of(maps: Sequence[pl.Series]) -> pl.DataFrame:
    """List the keys of maps: `key`, `map` (its number, from 0), in how many `rows`, and two bounds.

    `longest` are the bytes of its longest value, `most` the entries of the largest map that has it.
    """
    kernel = library()
    if kernel is None:
        return pl.concat(_keys_of(number, column) for number, column in enumerate(maps))
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(maps)])
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


def rows_with(maps: Sequence[pl.Series], names: Collection[str]) -> pl.Series:
    """Tell in which rows one of the maps has a key of such a name."""
    told = pl.DataFrame({"key": sorted(names)}, schema={"key": pl.String})
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(maps)])
    kernel = library()
    if kernel is None:
        keys = pl.concat_list(pl.col(name).map.keys().fill_null([]) for name in frame.columns)
        has = keys.list.eval(pl.element().is_in(told["key"].implode())).list.any()
        return frame.select(has.fill_null(value=False)).to_series()
    found = through(
        lambda given, keys, made: kernel.translate_rows_with(given, keys, SEED, made), frame, told
    )
    return found.to_series().is_not_null()


def names_told(originals: pl.Series, kinds: Sequence[str]) -> Iterator[tuple[str, str, str, int]]:
    """List what JSON members of kinds tell of keys under other names: of which kind, the key, its name, in how many rows."""
    kernel = library()
    if kernel is None:
        yield from _names_told(originals, kinds)
        return
    quoted_kinds = pl.DataFrame({"kind": [*map(quoted, kinds)]}, schema={"kind": pl.String})
    call = kernel.translate_names_told
    told = through(
        lambda given, named, made: call(given, named, SEED, made), originals.to_frame(), quoted_kinds
    )
    for member, number, rows in told[["key", "map", "rows"]].iter_rows():
        ((name, key),) = json.loads(f"{{{member}}}").items()
        yield kinds[number], key, name, rows


def _names_told(originals: pl.Series, kinds: Sequence[str]) -> Iterator[tuple[str, str, str, int]]:
    """List it without the kernel."""
    counts = originals.drop_nulls().value_counts(name="rows")
    for members, rows in counts.iter_rows():
        told = json.loads(f"{{{members}}}")
        for kind in kinds:
            for name, key in told.get(kind, {}).items():
                yield kind, key, name, rows


@dataclass(frozen=True)
class LyingTogether:
    """A map whose keys lie together with those of others, and what is noted of a key: with another name, and with its own."""

    values: pl.Series
    renamed: str
    kept: str | None = None


def renamed(
    kernel: ctypes.CDLL, maps: Mapping[str, LyingTogether], names: Mapping[str, str | None], *, into_first: bool = False
) -> pl.DataFrame:  # fmt: skip
    """Give maps, by what they are called, under other names for some keys; all entries in the first one if they go there.

    Beside them `names`, JSON members that tell the keys by their new names; `notes`, with each key behind the text that is
    given for it; and `odd`, for rows that stay as they are: they have a key without a name, or two of one name.
    """
    frame = pl.DataFrame([each.values.alias(str(number)) for number, each in enumerate(maps.values())])
    told = pl.DataFrame({"key": [*names], "name": [*names.values()]}, schema=NAMES)
    texts = [
        _texts(maps),
        *(_texts(getattr(each, what) for each in maps.values()) for what in ("renamed", "kept")),
    ]
    found = through(
        lambda given, named, made: kernel.translate_renamed(given, named, SEED, *texts, into_first, made),
        frame,
        told,
    )
    renamed_maps = {name: pl.col(str(number)).cast(events.MAP) for number, name in enumerate(maps)}
    odd = pl.col("odd").is_not_null()
    return found.select_seq(**renamed_maps, names="names", notes=pl.col("notes").cast(NOTES_TYPE), odd=odd)


def _texts(texts: Iterable[str | None]) -> ctypes.Array[ctypes.c_char_p]:
    encoded = [None if text is None else text.encode() for text in texts]
    return (ctypes.c_char_p * len(encoded))(*encoded)


# -- final names for the keys of values that lie together; rows in which they meet are left to the rules --------------

KINDS = ("attributes", "metrics", "other")
FINAL = {"attributes": "_attributes", "metrics": "_metrics", "other": "_others"}
KNOWN_MAX = 100_000  # keys that need no second look; beyond, all of them are looked at anew


@dataclass
class Renaming:
    """Renames the keys of the kinds of values that lie together; as texts, they all go among the attributes.

    `spell` gives a key its name, or none where it has to be looked at beside the others of its event.
    """

    spell: Callable[[str], str | None]
    kinds: Sequence[str]
    as_texts: bool
    kernel: ctypes.CDLL
    _known: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, spell: Callable[[str], str | None], kinds: Sequence[str], *, as_texts: bool) -> Self | None:
        """Give one where there is a kernel."""
        kernel = library()
        return None if kernel is None else cls(spell, kinds, as_texts, kernel)

    def rename(self, batch: pl.DataFrame) -> tuple[dict[str, pl.Series], pl.Series]:
        """Give the columns of a batch's values under their final names, and tell which rows are for the rules."""
        keys = keys_of([batch[kind] for kind in self.kinds])
        distinct = [*dict.fromkeys(keys["key"].to_list())]
        names = self._names(distinct)
        are_apart = len(distinct) == keys.height and not (self.as_texts and (keys["map"] > 0).any())
        if not names and are_apart:
            return {}, pl.Series([False]).new_from_index(0, batch.height)
        maps = {kind: self._lying_together(kind, batch[kind]) for kind in self.kinds}
        try:
            found = renamed(self.kernel, maps, names, into_first=self.as_texts)
        except MemoryError:  # beyond 2 GB: the rules take one row after the other
            return {}, pl.Series([True]).new_from_index(0, batch.height)
        taking = [kind for kind in self.kinds if not self.as_texts or kind != "other"]
        columns = {FINAL[kind]: found[kind] for kind in taking}
        return {**columns, "_names": found["names"], "_key_notes": found["notes"]}, found["odd"]

    def _lying_together(self, kind: str, values: pl.Series) -> LyingTogether:
        if self.as_texts and kind != "attributes":
            both = f"{RENAMED} and {RETYPED}"
            return LyingTogether(
                values, notes.beginning("changed", kind, both), notes.beginning("changed", kind, RETYPED)
            )
        return LyingTogether(values, notes.beginning("changed", kind, RENAMED))

    def _names(self, keys: list[str]) -> dict[str, str | None]:
        """Give the names of those keys that cannot stay; none for one whose name is not free."""
        if len(self._known) > KNOWN_MAX:
            self._known = {}
        known = self._known  # of several threads one may begin anew meanwhile
        known |= {key: self.spell(key) for key in keys if key not in known}
        return {key: name for key in keys if (name := known[key]) != key}
