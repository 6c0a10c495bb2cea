"""Events through a layout and back: written, packed and read again, with all that the layout declares to lose."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from translate import events, notes
from translate.conversion.plan import from_hub, without_recipe
from translate.mapping.spec import Layout, Mapping
from translate.notes import InHub, Spot
from translate.reader.hub import Hub, with_event_ids
from translate.reader.reader import Lines, Reader
from translate.settings import Settings
from translate.writer.losses import Plan
from translate.writer.packing import Packer
from translate.writer.shape import Source
from translate.writer.writer import FILTERED, NOTES, ROW, Writer

INDEX = "_index"
WHENCE = ("file", "line")
Declared = dict[Spot, str]


@dataclass(frozen=True)
class Difference:
    """A value that came back other than it went: of a hub column, or of one key in a map."""

    column: str
    key: str | None
    before: Any
    after: Any

    @property
    def place(self) -> str:
        """Name the column, or the key in its map."""
        return self.column if self.key is None else f"{self.column}.{self.key}"

    def why(self, declared: Declared) -> str | None:
        """Give the reason that is declared for it, be it for the key or the whole column."""
        return declared.get(InHub(self.column, self.key)) or declared.get(InHub(self.column))


@dataclass
class Journey:
    """What became of events on their way through a layout.

    `departed` and `arrived` are hub events with `_index`, the number of the event that went in; `refused` says by index which
    were not written, and why; `unread` which were written and could not be read again. `declared` are the places
    that the layout says to lose or change, by index.
    """

    departed: pl.DataFrame
    arrived: pl.DataFrame
    refused: dict[int, str]
    unread: dict[int, str]
    declared: dict[int, Declared] = field(default_factory=lambda: defaultdict(dict))


def travel(
    frame: pl.DataFrame, mapping: Mapping, layout: Layout, settings: Settings, *, keeps_extra: bool = False, keeps_around: bool = True,
    lists: tuple[str, ...] = (),
) -> Journey:  # fmt: skip
    """Write events as a layout has them, and read them back; `lists` are those of the layout that they come from."""
    source = Source(
        frozenset(events.SCHEMA),
        {},
        keeps_extra=keeps_extra,
        keeps_around=keeps_around,
        lists=frozenset(lists),
    )
    writer = Writer(mapping, layout, settings, source)
    departed = from_hub(frame.with_row_index(INDEX).lazy()).collect()
    rows = writer.rows(without_recipe(departed.lazy()))
    plan = writer.plan()
    flags = {f"_loss{number}": loss.events for number, loss in enumerate(plan.losses)}
    flags |= {f"_finding{number}": finding.events for number, finding in enumerate(plan.findings)}
    shown = [f"={entry.place}" for entry in writer.columns] if layout.records == "csv" else [ROW]
    kept = list(dict.fromkeys([INDEX, "code", "message", FILTERED, NOTES, *shown, *writer.columns_around]))
    members = {f"+{expression.meta.output_name()}": expression for expression in writer.members()}
    judged = rows.select(*kept, **flags, **members).collect()
    is_written = pl.col("code").is_null() & pl.col(FILTERED).is_null()
    lines, order = _lines(judged.filter(is_written), layout, settings, shown, list(members))
    arrived, unread = _read(lines, order, mapping, layout, settings)
    refused = {
        row[INDEX]: f"rejected: {row['code']}: {row['message']}"
        if row["code"]
        else f"filtered: {row[FILTERED]}"
        for row in judged.filter(~is_written).iter_rows(named=True)
    }
    return Journey(departed.select(INDEX, *events.SCHEMA), arrived, refused, unread, _declared(judged, plan))


def _lines(
    written: pl.DataFrame, layout: Layout, settings: Settings, shown: list[str], members: list[str]
) -> tuple[list[str], list[int]]:
    """Give the lines of what was written, and the events in the order in which a reader meets them."""
    order: list[int] = written[INDEX].to_list()
    if layout.records == "csv":
        table = written.select(pl.col(name).alias(name.removeprefix("=")) for name in shown)
        return table.write_csv(quote_style="necessary").removesuffix("\n").split("\n"), order
    if layout.request is None:
        return written[ROW].to_list(), order
    output = io.BytesIO()
    met: list[int] = []
    packer = Packer(layout, settings, output, tell=met.extend)
    packer.add(written.select(pl.col(name).alias(name.removeprefix("+")) for name in members))
    packer.finish()
    return output.getvalue().decode().removesuffix("\n").split("\n"), [order[number] for number in met]


def _read(
    lines: list[str], order: list[int], mapping: Mapping, layout: Layout, settings: Settings
) -> tuple[pl.DataFrame, dict[int, str]]:
    reader = Reader(layout, mapping.names, careful_only=True)
    hub = Hub(mapping, layout, settings)
    text = pl.LazyFrame({"text": lines}, schema={"text": pl.String}).with_row_index("row")
    found = (
        with_event_ids(hub.events(reader.records(Lines(text, ["journey"], [0]))), hub.provided)
        .sort("row", "part")
        .collect()
    )
    if found.height != len(order):
        raise AssertionError(
            f"{layout.address}: {len(order)} events were written, but {found.height} read again"
        )
    numbered = found.with_columns(pl.Series(INDEX, order, dtype=pl.UInt32))
    unread = numbered.filter(pl.col("code").is_not_null())
    arrived = numbered.filter(pl.col("code").is_null()).select(INDEX, *events.SCHEMA).sort(INDEX)
    return arrived, dict(zip(unread[INDEX], unread["message"], strict=True))


def _declared(judged: pl.DataFrame, plan: Plan) -> dict[int, Declared]:
    """Collect by event the places that the writer says to lose, to change or to fill in, and why."""
    declared: dict[int, Declared] = defaultdict(dict)
    told = [
        (f"_loss{number}", loss.spot, f"{loss.kind}: {loss.why}") for number, loss in enumerate(plan.losses)
    ]
    told += [
        (f"_finding{number}", InHub(finding.field), finding.message.removeprefix(f"{finding.field}: "))
        for number, finding in enumerate(plan.findings)
        if finding.field
    ]
    for name, place, why in told:
        for index in judged.filter(pl.col(name))[INDEX]:
            declared[index][place] = why
    for index, texts in judged.select(INDEX, NOTES).iter_rows():
        for noted in notes.read_all(texts):
            declared[index][noted.spot] = f"{noted.kind}: {noted.why}"
    return declared


# -- comparing ------------------------------------------------------------------------------------------------------


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """List what two events differ in, hub column by hub column, key by key."""
    found = []
    for column in events.SCHEMA:
        old, new = before[column], after[column]
        if column in WHENCE or old == new:
            continue
        if column not in events.MAPS or (not old and not new):
            found.append(Difference(column, None, old, new))
        else:
            old, new = old or {}, new or {}
            keys = dict.fromkeys([*old, *new])
            found += [
                Difference(column, key, old.get(key), new.get(key))
                for key in keys
                if old.get(key) != new.get(key)
            ]
    return found


def undeclared(found: list[Difference], declared: Declared) -> list[Difference]:
    """Leave out the differences that are declared: a value that came up elsewhere goes with the place that it left."""
    left = [difference for difference in found if difference.why(declared) is None]
    moved = [
        difference.before
        for difference in found
        if difference not in left and difference.key is not None and difference.before is not None
    ]
    rest = []
    for difference in left:
        if difference.before is None and difference.key is not None and difference.after in moved:
            moved.remove(difference.after)
        else:
            rest.append(difference)
    return rest
