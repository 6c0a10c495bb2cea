"""What figures are made of: a few short columns of each event, and how they come back from what a layout holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table

import polars as pl

from translate import events
from translate.mapping.settings import Settings
from translate.mapping.spec import Addition, Field, Layout, Mapping
from translate.reader.hub import Hub
from translate.vocabulary import money
from translate.vocabulary.spelling import EventNames
from translate.writer.shape import is_asked_for

START, STOP, PURCHASE = "session.start", "session.stop", "purchase"

# The hub columns that figures look at.
COLUMNS = (
    "name", "phase", "time", "client_id", "user_id", "cognito_id",
    "session.start", "session.stop", "session.duration",
    "value", "price", "quantity", "currency", "store",
    "session.id", "user_properties", "metrics",
)  # fmt: skip

FACTS: dict[str, pl.DataType] = {
    "type": pl.String(),
    "starts": pl.Boolean(),
    "day": pl.Date(),
    "client": pl.UInt64(),
    "person": pl.UInt64(),
    "length": pl.Int64(),
    "currency": pl.String(),
    "amount": pl.Int64(),
    # what dashboards count by
    "touched": pl.Date(),
    "session": pl.UInt64(),
    "lasted": pl.Int64(),
    "engaged": pl.Int64(),
}

MICROS = 1_000_000


def facts(
    column: Callable[[str], pl.Expr], event_type: pl.Expr, additions: Table[str, Addition]
) -> dict[str, pl.Expr]:
    """Give the facts of an event whose hub columns are given by name; `additions` say what a target's dashboards count by.

    `event_type` is what the target calls it; `starts` tells whether it starts a session. `client` and `person` (the
    user, else the Cognito identity, else the client) are hashes of 64 bits, the same within a process; `length` is an ended session's in milliseconds, the recorded one, else stop minus start; `amount` is
    what a purchase is worth in real money, in millionths, so that sums do not depend on their order.
    """
    name = column("name")
    money_of = [column(part) for part in ("value", "price", "quantity", "currency", "store")]
    value, price, quantity, code, store = money_of
    measured = (column("session.stop") - column("session.start")).dt.total_milliseconds()
    length = column("session.duration").fill_null(measured)
    amount = (money.amount(*money_of) * MICROS).round().cast(pl.Int64, strict=False)
    is_purchase = name == PURCHASE
    return {
        "type": event_type,
        "starts": name == START,
        "day": column("time").dt.date(),
        "client": _hashed(column("client_id")),
        "person": _hashed(pl.coalesce(column("user_id"), column("cognito_id"), column("client_id"))),
        "length": pl.when(name == STOP).then(length),
        "currency": pl.when(is_purchase).then(money.currency(code, store, value, price, quantity)),
        "amount": pl.when(is_purchase).then(amount),
        **_of_dashboards(column, additions, length),
    }


def _of_dashboards(
    column: Callable[[str], pl.Expr], additions: Table[str, Addition], length: pl.Expr
) -> dict[str, pl.Expr]:
    """Give of an event the day on which its client was first seen, its session, how long that lasted, and the engagement."""
    touch = engaged = pl.lit(None, pl.Int64)
    if "first_open" in additions:
        text = column("user_properties").map.get(additions["first_open"].user_property)
        touch = text.str.strip_chars('"').cast(pl.Int64, strict=False)
    if "engagement" in additions:
        told = column("metrics").map.get(additions["engagement"].metric).cast(pl.Float64, strict=False)
        is_engagement = column("name") == additions["engagement"].event
        engaged = pl.when(is_engagement).then(told.cast(pl.Int64, strict=False))
    is_session = column("session.id").is_not_null() & column("client_id").is_not_null()
    session = pl.concat_str(column("client_id"), pl.lit("\x1f"), column("session.id"))
    return {
        "touched": touch.cast(pl.Datetime("ms")).dt.date(),
        "session": pl.when(is_session).then(session.hash(0)),
        "lasted": length,
        "engaged": engaged,
    }


def _hashed(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(0))


class HeldColumns:
    """One layout's way of holding what figures look at."""

    def __init__(
        self, mapping: Mapping, layout: Layout, settings: Settings, *, names_meet: bool = False
    ) -> None:
        self.layout = layout
        self._names = EventNames(
            mapping.names, mapping.phase_of_others, make_legal=layout.legal_names and not settings.keep_names
        )
        self._names_meet = names_meet or layout.original_names is None
        self._fields: dict[str, Field] = {}
        self._off: dict[str, str] = {}
        for entry in layout.all_fields:
            if entry.hub and not is_asked_for(entry, settings):
                self._off[entry.hub[0]] = entry.asked or entry.unless or ""
            elif entry.hub:
                self._fields.setdefault(entry.hub[0], entry)
        self._off = {name: asked for name, asked in self._off.items() if name not in self._fields}
        self._provided = Hub(mapping, layout, settings).provided - self._off.keys()

    def columns(self) -> dict[str, pl.Expr]:
        """Give each column as the layout's reader would give it back."""
        return {name: self._column(name) for name in COLUMNS}

    def _column(self, name: str) -> pl.Expr:
        column = pl.col(name)
        if name == "name":
            return self._name()
        if name not in self._provided:
            return pl.lit(None, events.SCHEMA[name])
        entry = self._fields.get(name)
        if entry is None:
            return column
        if entry.word.whole_seconds:
            column = column.dt.truncate("1s")
        if entry.word.made_of_several and entry.word.write:
            column = entry.word.write([pl.col(other) for other in entry.hub])
        for other in entry.hub[1:] if entry.word.first_of_several else ():
            if other in self._fields:  # which its reader takes it from
                column = pl.when(column.ne_missing(pl.col(other))).then(column)
        needed = {f"{home}.{need}" for home, need in self._needs(entry)}
        found = [other for other in self.layout.fields if other.place in needed and other.hub]
        missing = [pl.col(other.hub[0]).is_null() for other in found]
        return pl.when(~pl.any_horizontal(missing)).then(column) if missing else column

    def event_type(self, name: pl.Expr) -> pl.Expr:
        """Give what stands in the row for a hub event's name."""
        return self._names.written(name)

    def _name(self) -> pl.Expr:
        """Read the name as it is written, with the phase if the layout has one.

        Well-known names that the sheet spells alike are told apart by the original one, if it travels along; an own
        name is what the reader takes it for.
        """
        name, written, phase = pl.col("name"), self.event_type(pl.col("name")), None
        if any(entry.word.gives_action for entry in self.layout.fields):
            phase = pl.col("phase").fill_null(self._names.implied_phase(name))
        read = self._names.read(written, phase)
        if self.layout.original_names is None:
            return read
        return pl.when(name.is_in(list(events.WELL_KNOWN))).then(name).otherwise(read)

    def _needs(self, entry: Field) -> Iterator[tuple[str, str]]:
        for home, needs in self.layout.objects.items():
            if entry.place.startswith(f"{home}."):
                yield from ((home, need) for need in needs)

    def reasons(self, columns: tuple[str, ...]) -> str:
        """Say what of some columns the layout does not hold as it was."""
        off = ((name, asked) for name, asked in self._off.items() if name in columns)
        said = [f"{name} only with --set {asked}=true" for name, asked in off]
        without = [name for name in columns if name not in {*self._provided, *self._off, "name"}]
        if without:
            why = dict.fromkeys(self.layout.cannot[name] for name in without if name in self.layout.cannot)
            said.append(f"no place for {', '.join(without)}" + (f" ({'; '.join(why)})" if why else ""))
        if not said:
            said += ["names that are spelled alike"] if "name" in columns and self._names_meet else []
            fields = [self._fields[name] for name in columns if name in self._fields and name != "time"]
            said += dict.fromkeys(filter(None, (entry.word.in_figures for entry in fields)))
        return f"{self.layout.address}: {'; '.join(said)}" if said else f"as {self.layout.address} holds it"
