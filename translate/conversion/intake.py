"""A unit's lines, or the rows of its table, as hub events: the same for every layout that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from translate import events
from translate.archive import parquet
from translate.archive.batches import Lines
from translate.archive.lines import Damage
from translate.conversion.job import Job
from translate.engine.library import by_batches
from translate.errors import UsageError, suggest
from translate.mapping.settings import Settings
from translate.reader.hub import TRAVELLERS, Hub
from translate.reader.literals import DECODER, NUMBER, Refused, canonical, exact_digits, shown, syntax_error
from translate.reader.reader import Reader, Tally
from translate.recipe.expressions import kind_of
from translate.vocabulary import notes

NO_TABLE = Damage("not_recognised", "is no Parquet file of hub events", "")
LINE_BREAK = r"[\r\n]"  # in JSON only between its values
HALF_OF_A_PAIR = r"\\u[dD][89a-fA-F]"  # or both halves, which are looked at
IS_JSON = (pl.col("text").str.json_path_match("$").is_not_null() | (pl.col("text") == "null")) & ~pl.col(
    "text"
).str.contains(HALF_OF_A_PAIR)
# Which texts of a column are what it holds, at a glance; of others Python says what is wrong with them, if anything is.
PLAIN = {
    **dict.fromkeys(events.LISTS, IS_JSON & pl.col("text").str.starts_with("[")),
    **dict.fromkeys(("user_properties", "client_properties", "other", "extra"), IS_JSON),
    "metrics": pl.col("text").str.contains(r"^(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])$"),
    "user_property_times": pl.col("text").str.contains("^(?:0|-?[1-9][0-9]{0,17})$"),
}
OF_TEXTS = {"at": pl.UInt32, "key": pl.String, "text": pl.String}


@dataclass
class Intake:
    """A unit's events beside the travellers, and what there is to know of them.

    `provided` are the hub columns that can hold something, `places` how the source spells them; `unsound` names
    the files whose records reach over several lines, once the events were read.
    """

    events: pl.LazyFrame
    provided: set[str]
    places: Mapping[str, str] = field(default_factory=dict)
    unsound: set[str] = field(default_factory=set)


def take_in(job: Job, lines: Lines, *, tally: Tally | None = None) -> Intake:
    """Read a unit as the job's source layout says."""
    if job.source_layout.model == parquet.HUB.model:
        return _of_hub_files(lines, job.settings, tally or Tally())
    reader = Reader(
        job.source_layout, job.source_mapping.names, careful_only=job.careful_only, tally=tally,
        keeps_lines=bool(job.census), record_bytes=job.settings.record_bytes,
    )  # fmt: skip
    hub = Hub(job.source_mapping, job.source_layout, job.settings)
    return Intake(hub.events(reader.records(lines)), hub.provided, hub.places, reader.unsound)


def of_frame(frame: pl.LazyFrame) -> tuple[pl.LazyFrame, str]:
    """Give the hub columns of a caller's frame, numbers with the hub's types, and what is said of other columns.

    Raise UsageError for a hub column of another kind.
    """
    given = frame.collect_schema()
    columns = []
    for name, dtype in given.items():
        wanted = events.SCHEMA.get(name)
        if wanted is None:
            continue
        if dtype != pl.Null and kind_of(dtype) != kind_of(wanted):
            raise UsageError(
                f'write: column "{name}" should be {kind_of(wanted)}, but is {dtype}; cast it, or give it another name'
            )
        recast = dtype != wanted and (dtype == pl.Null or dtype.is_numeric())
        columns.append(pl.col(name).cast(wanted) if recast else pl.col(name))
    return frame.select(columns), _of_strangers([name for name in given if name not in events.SCHEMA])


def _of_strangers(names: list[str]) -> str:
    """Say that columns which are none of the hub's go nowhere; nothing if there are none."""
    if not names:
        return ""
    near = {name: suggest(name, events.SCHEMA).removeprefix("; ") for name in names}
    listed = ", ".join(f'"{name}" ({meant})' if meant else f'"{name}"' for name, meant in near.items())
    them, they_say = ("it", "it says") if len(names) == 1 else ("them", "they say")
    return (
        f"hub events have no {listed}: no row holds {them}; drop {them}, or give what {they_say} to a column that "
        "translate.events.COLUMNS lists"
    )


def _of_hub_files(lines: Lines, settings: Settings, tally: Tally) -> Intake:
    if lines.table is None:
        return Intake(_refused(lines, tally), set())
    given = lines.table.collect_schema()
    frame = _judged(parquet.events_of(lines.table, lines.files[0]), given, settings)
    return Intake(
        _counted(with_sound_texts(frame), tally),
        {name for name in given if name in events.SCHEMA and name not in ("file", "line")},
    )


def _judged(frame: pl.LazyFrame, given: pl.Schema, settings: Settings) -> pl.LazyFrame:
    """Refuse events of a file with a column of another type, without a name or a time, or with what is no time or number here."""
    misfit = parquet.misfit(given)
    if misfit:
        return frame.with_columns(code=pl.lit("wrong_type"), message=pl.lit(misfit))
    since, until = settings.time_window
    missing = pl.any_horizontal(pl.col(name).is_null() for name in parquet.NEEDED)
    implausible = ((pl.col("time") < since) | (pl.col("time") >= until)).fill_null(value=False)
    outside = f"time is outside of {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    reasons = [
        (missing, "missing_required", pl.lit("name and time are what every event needs")),
        (implausible, "time_implausible", pl.lit(outside)),
        *_no_numbers(given),
    ]
    return frame.with_columns(
        code=pl.coalesce(pl.when(bad).then(pl.lit(code)) for bad, code, _ in reasons),
        message=pl.coalesce(pl.when(bad).then(message) for bad, _, message in reasons),
    )


def _no_numbers(given: pl.Schema) -> Iterator[tuple[pl.Expr, str, pl.Expr]]:
    """Give what in a file's columns is no number of the hub's, the code of it, and what is said."""
    for name, dtype in given.items():
        wanted, cell = events.SCHEMA.get(name), pl.col("text").struct.field(name)
        if wanted == pl.Int64 and dtype == pl.UInt64:
            message = pl.format(f"{name} should be a whole number of 64 bits, but is {{}}", cell)
            yield pl.col(name).is_null() & cell.is_not_null(), "wrong_type", message
        if wanted == pl.Float64 and dtype.is_float():
            message = pl.format(f"{name} is {{}}, which is not a number", cell.cast(pl.String))
            yield ~pl.col(name).is_finite(), "bad_number", message


def with_sound_texts(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Refuse events with a text that is none of its column's: JSON or digits, which targets write as they are.

    JSON over several lines is put onto one, numbers get their canonical digits, and entries without a value go.
    """
    return by_batches(frame, _sound)


def _sound(batch: pl.DataFrame) -> pl.DataFrame:
    batch = batch.with_columns_seq(_without_nulls(name) for name in events.MAPS if _has_nulls(batch[name]))
    faults: dict[int, Refused] = {}
    for name, is_plain in PLAIN.items():
        texts, respelled = _texts_of(batch, name), dict[str, str]()
        for at, key, text in texts.filter(~is_plain).iter_rows():
            fault = _fault(name, name if key is None else f'{name}["{key}"]', text)
            if fault is not None:
                faults.setdefault(at, fault)
            elif name == "metrics":
                respelled[text] = exact_digits(text)
        if respelled:
            batch = batch.with_columns(_each(name, partial(pl.Expr.replace, old=respelled)))
        if texts["text"].str.contains(LINE_BREAK).any():
            batch = batch.with_columns(_each(name, _on_one_line))
    if not faults:
        return batch
    told = [faults.get(at) for at in range(batch.height)]
    found = pl.Series("fault", [fault and fault.code for fault in told], dtype=pl.String)
    words = pl.Series("words", [fault and fault.message for fault in told], dtype=pl.String)
    message = pl.when(pl.col("code").is_null()).then(words).otherwise(pl.col("message"))
    return batch.with_columns(message=message, code=pl.coalesce("code", found))


def _texts_of(batch: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give a column's texts, each with the number of its row and, in maps, its key."""
    if batch[name].null_count() == batch.height:
        return pl.DataFrame(schema=OF_TEXTS)
    at = pl.int_range(pl.len(), dtype=pl.UInt32)
    if batch.schema[name] != events.MAP:
        return batch.select(at=at, key=pl.lit(None, pl.String), text=name).drop_nulls("text")
    entry = pl.col("entry").struct
    listed = batch.select(at=at, entry=pl.col(name).map.entries()).explode("entry")
    return listed.select("at", key=entry.field("key"), text=entry.field("value")).drop_nulls("text")


def _has_nulls(column: pl.Series) -> bool:
    """Tell whether an entry of a column of maps has no value."""
    if column.null_count() == len(column):
        return False
    entries = column.map.entries().explode(empty_as_null=False, keep_nulls=False)
    return entries.struct.field("value").null_count() > 0


def _without_nulls(name: str) -> pl.Expr:
    has_value = pl.element().struct.field("value").is_not_null()
    return pl.col(name).map.entries().list.eval(pl.element().filter(has_value)).list.to_map()


def _each(name: str, turned: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Turn a column's texts, in maps those of all keys, into others."""
    if events.SCHEMA[name] != events.MAP:
        return turned(pl.col(name))
    entry = pl.element().struct
    others = pl.struct(entry.field("key"), turned(entry.field("value")))
    return pl.col(name).map.entries().list.eval(others).list.to_map()


def _on_one_line(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(LINE_BREAK, " ")


def _fault(name: str, place: str, text: str) -> Refused | None:
    """Say what is wrong with a text that stands in a column, if anything is."""
    try:
        _look_at(name, place, text)
    except json.JSONDecodeError as error:
        fault = syntax_error(text, error)
        return Refused("bad_json", f"{place} {fault.message if fault.code == 'bad_json' else 'is cut off'}")
    except RecursionError:
        return Refused("bad_json", f"{place} is nested too deeply")
    except Refused as refused:
        return refused
    return None


def _look_at(name: str, place: str, text: str) -> None:
    if name == "user_property_times":
        raise Refused("wrong_type", f"{place} should be milliseconds since 1970, but is {shown(text)}")
    if name == "metrics" and not NUMBER.fullmatch(text):
        raise Refused("bad_number", f"{place} is {shown(text)}, which is not a number")
    value = DECODER.decode(text)
    try:
        canonical(value).encode()
        if name == "metrics":
            exact_digits(text)
    except UnicodeEncodeError:
        raise Refused("bad_text", f"{place} holds half of a surrogate pair") from None
    except Refused as refused:
        raise Refused(refused.code, f"{place}: {refused.message}") from None
    if name in events.LISTS and not text.lstrip().startswith("["):
        raise Refused("wrong_type", f"{place} should be a list, but is {shown(value)}")


def _refused(lines: Lines, tally: Tally) -> pl.LazyFrame:
    """Refuse every line of files that are no tables."""

    def told(of_row: Callable[[int], Any], dtype: Any) -> pl.Expr:
        return pl.col("row").map_elements(of_row, return_dtype=dtype)

    def damage(row: int) -> Damage:
        return lines.damage.get(row, NO_TABLE)

    frame = lines.frame.select(pl.col("row").cast(pl.UInt32), "text")
    absent = {
        name: pl.lit(None, dtype) for name, dtype in events.SCHEMA.items() if name not in ("file", "line")
    }
    named = frame.with_columns(
        **absent, notes=notes.none(),
        file=told(lambda row: lines.origin(row)[0], pl.String), line=told(lambda row: lines.origin(row)[1], pl.Int64),
        code=told(lambda row: damage(row).code, pl.String), message=told(lambda row: damage(row).message, pl.String),
    )  # fmt: skip
    return _counted(named, tally)


def _counted(frame: pl.LazyFrame, tally: Tally) -> pl.LazyFrame:
    """Add what travels beside events; tell how many go by."""
    whole = frame.with_columns(
        pl.col("row").cast(pl.UInt32), part=pl.lit(0, pl.UInt32), base64=pl.lit(False), careful=pl.lit(False),
        nulls=pl.lit(0, pl.UInt32),
    ).select(*TRAVELLERS, *events.SCHEMA)  # fmt: skip

    def count(batch: pl.DataFrame) -> pl.DataFrame:
        tally.add(int(batch.estimated_size()), batch.height)
        return batch

    return by_batches(whole, count)
