"""Events through a layout and home again: written, packed, read, and every difference held against what the layouts declare."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from translate import events
from translate.archive.batches import Lines
from translate.conversion.plan import from_hub, without_recipe
from translate.mapping.columns import Column
from translate.mapping.settings import Settings
from translate.mapping.spec import Layout, Mapping
from translate.reader.hub import Hub, with_event_ids
from translate.reader.reader import Reader
from translate.vocabulary import notes
from translate.vocabulary.notes import InHub, Spot
from translate.writer import dataset
from translate.writer.losses import Plan
from translate.writer.packing import ROW, as_lines
from translate.writer.shape import Source, same_events
from translate.writer.writer import FILTERED, NOTES, Writer

INDEX = "_index"
WHENCE = ("file", "line")
COMPARED = [name for name in events.SCHEMA if name not in WHENCE]
EXAMPLES_MAX = 3
BATCH_EVENTS = 10_000
Declared = dict[Spot, str]
Declaration = tuple[pl.Expr, Spot, str]
Columns = tuple[Column, ...]


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
    declared: dict[int, Declared]


def travel(
    frame: pl.DataFrame, mapping: Mapping, layout: Layout, settings: Settings, *, keeps_extra: bool = False, keeps_around: bool = True,
    lists: tuple[str, ...] = (), columns: Columns = (),
) -> Journey:  # fmt: skip
    """Write events as a layout has them, and read them back.

    `lists` are those of the layout that they come from, `columns` those of a dataset's own that the caller names.
    """
    moved = frozenset({"attributes"} if columns else ())
    given = Source(frozenset(events.SCHEMA), {}, moved, lists=frozenset(lists))
    source = replace(given, keeps_extra=keeps_extra, keeps_around=keeps_around)
    writer = Writer(mapping, layout, settings, source)
    departed = from_hub(frame.with_row_index(INDEX).lazy()).collect()
    rows = writer.rows(dataset.moved(without_recipe(departed.lazy()), columns))
    declarations = _declarations(columns, writer.plan())
    flags = {name: flag for name, (flag, _, _) in declarations.items()}
    shown = [f"={entry.place}" for entry in writer.columns] if layout.records == "csv" else [ROW]
    kept = list(dict.fromkeys([INDEX, "code", "message", FILTERED, NOTES, *shown, *writer.columns_around]))
    members = {f"+{expression.meta.output_name()}": expression for expression in writer.members()}
    judged = rows.select(*kept, **flags, **members).collect()
    is_written = pl.col("code").is_null() & pl.col(FILTERED).is_null()
    written = judged.filter(is_written)
    lines, met = as_lines(written, layout, settings, shown, list(members))
    order = written[INDEX].gather(met).to_list()
    arrived, unread = _read(lines, order, mapping, layout, settings)
    told = judged.filter(~is_written).select(INDEX, "code", "message", FILTERED)
    refused = {
        index: f"rejected: {code}: {message}" if code else f"filtered: {rule}"
        for index, code, message, rule in told.iter_rows()
    }
    declared = _declared(judged, declarations)
    return Journey(departed.select(INDEX, *events.SCHEMA), arrived, refused, unread, declared)


def _read(
    lines: list[str], order: list[int], mapping: Mapping, layout: Layout, settings: Settings
) -> tuple[pl.DataFrame, dict[int, str]]:
    reader, hub = Reader(layout, mapping.names, careful_only=True), Hub(mapping, layout, settings)
    text = pl.LazyFrame({"text": lines}, schema={"text": pl.String}).with_row_index("row")
    records = reader.records(Lines(text, ["journey"], [0], joined=frozenset(["journey"])))
    found = with_event_ids(hub.events(records), hub.provided).sort("row", "part").collect()
    if found.height != len(order):
        raise AssertionError(f"{layout.address}: {len(order)} events written, but {found.height} read again")
    numbered = found.with_columns(pl.Series(INDEX, order, dtype=pl.UInt32))
    unread = numbered.filter(pl.col("code").is_not_null())
    arrived = numbered.filter(pl.col("code").is_null()).select(INDEX, *events.SCHEMA).sort(INDEX)
    return arrived, dict(zip(unread[INDEX], unread["message"], strict=True))


def _declarations(columns: Columns, plan: Plan) -> dict[str, Declaration]:
    """Give what the writer says to lose, to change or to fill in: a flag's name, of which events, where and why."""
    told = [*dataset.ways(columns)]
    told += [(loss.events, loss.spot, f"{loss.kind}: {loss.why}") for loss in plan.losses]
    for finding in plan.findings:
        if finding.field:
            why = finding.message.removeprefix(f"{finding.field}: ")
            told.append((finding.events, InHub(finding.field), why))
    return {f"_declared{number}": each for number, each in enumerate(told)}


def _declared(judged: pl.DataFrame, declarations: dict[str, Declaration]) -> dict[int, Declared]:
    """Collect by event the places that the writer declares."""
    declared: dict[int, Declared] = defaultdict(dict)
    for name, (_, place, why) in declarations.items():
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
    for column in COMPARED:
        old, new = before[column], after[column]
        if old == new:
            continue
        if column not in events.MAPS or (not old and not new):
            found.append(Difference(column, None, old, new))
        else:
            old, new = old or {}, new or {}
            pairs = ((key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new]))
            found += [Difference(column, *pair) for pair in pairs if pair[1] != pair[2]]
    return found


def undeclared(found: list[Difference], declared: Declared) -> list[Difference]:
    """Leave out the differences that are declared: a value that came up elsewhere goes with the place that it left."""
    left = [difference for difference in found if difference.why(declared) is None]
    moved = [
        difference.before
        for difference in found
        if difference not in left and difference.key is not None and difference.before is not None
    ]
    for difference in [*left]:
        if difference.before is None and difference.key is not None and difference.after in moved:
            moved.remove(difference.after)
            left.remove(difference)
    return left


# -- there and back -------------------------------------------------------------------------------------------------

Address = tuple[Mapping, Layout]


@dataclass
class Comparison:
    """What came of events that went through another layout and home again.

    `differences` are counted by place and by the reason that is declared for it; `unexplained` by place alone, with
    the first few events that show them.
    """

    events: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    values: Counter[str] = field(default_factory=Counter)

    def to_json(self, *, examples: bool = False) -> dict[str, Any]:
        """Give the comparison as JSON values; the values that differ only if asked for."""
        kept = (*WHENCE, "before", "after") if examples else WHENCE

        def shown(place: str) -> list[dict[str, Any]]:
            return [{name: example[name] for name in kept} for example in self.examples[place]]

        return {
            "events": {name: self.events[name] for name in ("read", "unreadable", "returned", "refused")},
            "refused": dict(sorted(self.refused.items())),
            "differences": [
                {"field": place, "why": why, "events": count}
                for (place, why), count in sorted(self.differences.items())
            ],
            "undeclared": [
                {"field": place, "events": count, "examples": shown(place)}
                for place, count in sorted(self.unexplained.items())
            ],
        }


class Roundtrip:
    """Takes events from their own layout through another one and home again, batch by batch."""

    def __init__(self, home: Address, via: Address, settings: Settings, columns: Columns = ()) -> None:
        self._home = home
        self._columns = columns
        self._via = via
        self._settings = settings
        self.comparison = Comparison()

    def add(self, frame: pl.DataFrame) -> None:
        """Take a batch of hub events there and back, and compare."""
        for batch in frame.iter_slices(BATCH_EVENTS):
            self._compare(batch)

    def _compare(self, batch: pl.DataFrame) -> None:
        (_, via), (_, home) = self._via, self._home
        there = travel(
            batch, *self._via, self._settings, keeps_extra=same_events(via, home), keeps_around=via.address == home.address, lists=home.lists,
            columns=self._columns,
        )  # fmt: skip
        back = None
        if home.write and home.records != "parquet":
            back = travel(there.arrived.drop(INDEX), *self._home, self._settings, keeps_extra=True)
        departed = {row[INDEX]: row for row in there.departed.iter_rows(named=True)}
        self.comparison.events["read"] += len(departed)
        for journey in (there, back) if back else (there,):
            self._count_refused(journey)
        origin: list[int] = there.arrived[INDEX].to_list()
        for after in (back or there).arrived.iter_rows(named=True):
            went = origin[after[INDEX]] if back else after[INDEX]
            declared = there.declared.get(went, {}) | (back.declared.get(after[INDEX], {}) if back else {})
            self.comparison.events["returned"] += 1
            self._hold(departed[went], after, declared)

    def _count_refused(self, journey: Journey) -> None:
        unread = [*journey.unread.values()]
        self.comparison.events["refused"] += len(journey.refused) + len(unread)
        self.comparison.refused.update(journey.refused.values())
        self.comparison.refused.update(f"unreadable: {text}" for text in unread)
        self.comparison.unexplained.update(f"(unreadable) {text}" for text in unread)

    def _hold(self, before: dict[str, Any], after: dict[str, Any], declared: Declared) -> None:
        """Hold one event against itself as it came back."""
        found = differences(before, after)
        left = undeclared(found, declared)
        result = self.comparison
        result.values["all"] += _count_values(before)
        result.values["changed"] += sum(difference.before is not None for difference in found)
        for difference in found:
            if difference in left:
                result.unexplained[difference.place] += 1
                self._show(before, difference)
            else:
                why = difference.why(declared) or "moved"
                result.differences[difference.place, why] += 1

    def _show(self, before: dict[str, Any], found: Difference) -> None:
        shown = self.comparison.examples[found.place]
        if len(shown) < EXAMPLES_MAX:
            values = {"before": _plain(found.before), "after": _plain(found.after)}
            shown.append({name: before[name] for name in WHENCE} | values)


def _count_values(event: dict[str, Any]) -> int:
    """Count what is there, each entry of a map by itself."""
    values = ((name, event[name]) for name in COMPARED)
    return sum(len(value or ()) if name in events.MAPS else value is not None for name, value in values)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
