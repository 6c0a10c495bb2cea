"""The fast reader: a batch of lines at once, by the engine's own decoder.

The decoder joins the lines of a batch into one array before it parses, drops what its schema does not name,
and turns numbers into texts and back without a word. So each line has to prove, in vectorised steps, that
nothing of that kind happened to it; what cannot goes to the careful reader:

- the line's own number, put into the record before decoding, comes back in its row (no merge or shift), and no
  empty object, which has no key to be missed, follows the record (no split);
- as many keys were decoded as the text holds `":` outside of texts (nothing unknown, doubled or null): no white
  space stands before a colon, so the count can only be too high, by texts that begin with a colon;
- as many texts were decoded as the line holds `":"` (no number or boolean became a text): none ends with `":`;
- no map holds a null, which would be counted as a key, and as a text that hides another;
- the metrics are spelled as short, plain numbers;
- times lie in the years 1 to 9999;
- whole numbers are spelled without fraction or exponent, and their keys without escapes.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl
from polars.exceptions import ComputeError

from translate import events
from translate.mapping.codecs import CONTAINERS, SCALARS, STAMPS
from translate.mapping.spec import Field, Layout
from translate.reader.times import FIRST_MILLISECOND, LAST_MILLISECOND
from translate.settings import RECORD_BYTES

NUMBER_LINE = "#"
NEEDED = ("name", "time")
# What stands in a record as a text or a whole number and is read as it stands; a record that has more is for the careful reader.
PLAIN = ("text", "event_name", "app_id", "whole", "epoch_ms")
# Up to 16 characters, so at most 15 digits beside a point: what any double gives back as it was.
SHORT_NUMBER = r"(?:-?[1-9][0-9.]{0,15}|-?0\.0{0,6}[1-9][0-9]{0,14}|0\.0+|0)"

# A backslash before a quote that is none of its own, halves of surrogate pairs, letters and digits spelled as
# escapes (a key might hide behind them), a text that ends with `":`.
ODD_ESCAPES = r'\\\\"|\\u(?:[dD]|00(?:3[0-9]|[4-7]))|\\": ?"'
BLANK_BEFORE_COLON = r'["\t\r ][\t\r ]:'
NULL = r'": ?null[,}]'
NULL_KEY = rf'"[^"\\]*{NULL}'
NULL_IN_TEXT = r'[:,{\[][\t\r ]*": ?null[,}]'

TEXT = pl.col("text")


def understands(layout: Layout) -> bool:
    """Tell whether every place of a layout is of a kind that the fast reader can prove, or can leave to the careful one."""
    containers = {
        entry.place: CONTAINERS[entry.codec] for entry in layout.fields if entry.codec in CONTAINERS
    }
    inside = [
        entry for entry in layout.fields if entry.path[0] in containers and entry.place not in containers
    ]
    return (
        layout.records == "json-lines"
        and layout.request is None
        and not any(container.shared or container.readable_only for container in containers.values())
        and all(entry.when for entry in inside)
        and all(entry.codec in PLAIN for entry in layout.fields if entry.hub and entry.hub[0] in NEEDED)
    )


class FastReader:
    """Decodes lines of one JSON layout; tells which rows it vouches for."""

    def __init__(self, layout: Layout, record_bytes: int = RECORD_BYTES) -> None:
        self._record_bytes = record_bytes
        containers = {entry.place for entry in layout.fields if entry.codec in CONTAINERS}
        self._maps = {entry.place: entry for entry in layout.fields if entry.place in containers}
        self._scalars = [
            entry
            for entry in layout.fields
            if entry.codec in PLAIN and entry.hub and entry.path[0] not in containers
        ]
        self._objects = sorted(
            {entry.path[:depth] for entry in self._scalars for depth in range(1, len(entry.path))}
        )
        self._schema = pl.Struct({NUMBER_LINE: pl.Int64, **self._tree()})
        self._whole_spelled_oddly = self._odd_whole_pattern()

    def _tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for entry in self._scalars:
            branch = tree
            for segment in entry.path[:-1]:
                branch = branch.setdefault(segment, {})
            branch[entry.path[-1]] = raw_type(entry)
        for place in self._maps:
            tree[place] = events.MAP
        return {name: _struct(inner) for name, inner in tree.items()}

    def _odd_whole_pattern(self) -> str:
        names = sorted({entry.path[-1] for entry in self._scalars if raw_type(entry) == pl.Int64})
        return (
            rf'(?:{"|".join(map(re.escape, names))})":[\t\r ]*(?:-?[0-9]+[.eE]|[tf])' if names else r"[^\s\S]"
        )

    def decode(self, lines: pl.LazyFrame, *, protected: bool) -> pl.LazyFrame:
        """Decode `row` and `text` into the raw columns, and tell by `vouched` which rows to trust.

        One bad value spoils the whole query, unless it is protected: then only its batch, at some cost.
        """
        numbered = pl.concat_str(
            pl.lit(f'{{"{NUMBER_LINE}":'), pl.col("row").cast(pl.String), pl.lit(","), TEXT.str.slice(1)
        )
        columns = self._columns()
        prepared = (
            pl.when(plain(TEXT) & (TEXT.str.len_bytes() <= self._record_bytes))
            .then(numbered)
            .otherwise(pl.lit("{}"))
        )
        if protected:
            decoded = lines.with_columns(record=prepared).map_batches(
                self._decode_batch,
                schema={"row": pl.UInt32, "text": pl.String, "record": self._schema},
                validate_output_schema=False,
                streamable=True,
            )
        else:
            decoded = lines.with_columns(record=prepared.str.json_decode(self._schema))
        return (
            decoded.with_columns(**columns)
            .select("row", "text", *columns, proven=self._proven(), keys_missing=self._keys_missing())
            .with_columns(vouched=pl.col("proven") & (pl.col("keys_missing") == 0))
        )

    def _decode_batch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Decode a batch; where one line spoils it, none of its rows is decoded."""
        try:
            record = batch["record"].str.json_decode(self._schema)
        except ComputeError:
            record = None
        if record is None or len(record) != batch.height:
            record = pl.Series("record", [None], dtype=self._schema).new_from_index(0, batch.height)
        return batch.with_columns(record)

    def _columns(self) -> dict[str, pl.Expr]:
        record = pl.col("record")
        columns = {
            f"${entry.place}": _at(record, entry.path).alias(f"${entry.place}") for entry in self._scalars
        }
        for place, entry in self._maps.items():
            columns[entry.hub[0]] = _at(record, (place,)).alias(entry.hub[0])
        return columns

    def _proven(self) -> pl.Expr:
        in_place = pl.col("record").struct.field(NUMBER_LINE).eq_missing(pl.col("row").cast(pl.Int64))
        texts = [entry for entry in self._scalars if raw_type(entry) == pl.String]
        text_count = _count([pl.col(f"${entry.place}").is_not_null() for entry in texts])
        for entry in self._maps.values():
            if entry.hub[0] != "metrics":
                text_count += pl.col(entry.hub[0]).map.len().fill_null(0)
        compact = TEXT.str.count_matches('":"', literal=True)
        spaced = TEXT.str.count_matches('": "', literal=True)
        whole_is_whole = ~TEXT.str.contains(self._whole_spelled_oddly)
        checks = in_place & (compact + spaced == text_count) & whole_is_whole
        for entry in self._scalars:
            if (
                SCALARS[entry.codec].unit is not None and not entry.required
            ):  # one that is outside of all years is no time
                checks = checks & pl.col(f"${entry.place}").is_between(
                    FIRST_MILLISECOND, LAST_MILLISECOND
                ).fill_null(value=True)
        for place, entry in self._maps.items():
            checks = checks & (pl.col(entry.hub[0]).map.values().list.count_matches(None).fill_null(0) == 0)
            if entry.hub[0] == "metrics":
                checks = checks & _plain_numbers(place, pl.col("metrics"))
        return checks.fill_null(value=False)

    def _keys_missing(self) -> pl.Expr:
        """Count the keys of the text that were not decoded."""
        record = pl.col("record")
        keys = TEXT.str.count_matches('":', literal=True) - TEXT.str.count_matches('\\":', literal=True)
        found = _count([pl.col(f"${entry.place}").is_not_null() for entry in self._scalars])
        found += _count([_at(record, path).is_not_null() for path in self._objects])
        for entry in self._maps.values():
            column = pl.col(entry.hub[0])
            found += column.is_not_null().cast(pl.UInt32) + column.map.len().fill_null(0)
        return keys.cast(pl.Int64) - found.cast(pl.Int64)

    def only_nulls_missing(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give those proven rows whose missing keys are all explicit nulls, with their `nulls`.

        A null may also be the second value of a key, so its name must occur once.
        """
        nulls = TEXT.str.count_matches(NULL) - TEXT.str.count_matches(rf"\\{NULL}")
        candidates = frame.filter(pl.col("proven") & ~TEXT.str.contains(NULL_IN_TEXT)).with_columns(
            nulls=nulls.cast(pl.UInt32)
        )
        candidates = candidates.filter(pl.col("keys_missing") == pl.col("nulls").cast(pl.Int64))
        keys = candidates.select("row", "text", "nulls", key=TEXT.str.extract_all(NULL_KEY)).explode(
            "key", empty_as_null=True
        )
        name = pl.col("key").str.replace(r"[^\"]*$", ":")
        single = keys.group_by("row").agg(
            single=(TEXT.str.count_matches(name, literal=True) == 1).all()
            & (pl.col("key").count() == pl.col("nulls").first())
        )
        return candidates.join(single.filter("single").select("row"), on="row", how="semi")


def raw_type(entry: Field) -> pl.DataType:
    """Give the type in which a scalar of a record is decoded."""
    return pl.Int64() if entry.codec in STAMPS or SCALARS[entry.codec].raw == "whole" else pl.String()


def plain(text: pl.Expr) -> pl.Expr:
    """Tell which lines look like one object and hold nothing that the decoder is known to trip over."""
    ends_empty = (
        text.str.ends_with("{}")
        | text.str.ends_with(" }")
        | text.str.ends_with("\t}")
        | text.str.ends_with("\r}")
    )
    return (
        text.str.starts_with('{"')
        & text.str.ends_with("}")
        & ~ends_empty
        & ~text.str.contains(ODD_ESCAPES)
        & ~text.str.contains(BLANK_BEFORE_COLON)
    )


def _struct(tree: Any) -> Any:
    return (
        pl.Struct({name: _struct(inner) for name, inner in tree.items()}) if isinstance(tree, dict) else tree
    )


def _at(record: pl.Expr, path: tuple[str, ...]) -> pl.Expr:
    for segment in path:
        record = record.struct.field(segment)
    return record


def _count(flags: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal([flag.cast(pl.UInt32) for flag in flags]) if flags else pl.lit(0, pl.UInt32)


def _plain_numbers(place: str, metrics: pl.Expr) -> pl.Expr:
    """Tell which rows spell this map as short, plain numbers."""
    pair = rf'"[^"\\]*": ?{SHORT_NUMBER}'
    spelled = TEXT.str.contains(rf'"{re.escape(place)}": ?\{{(?:(?:{pair}, ?)*{pair})?\}}')
    return metrics.is_null() | spelled
