"""The account of keys as the kernel tallies it: it counts how the rows speak for keys, and each way is judged once, as a row of its own."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Self

import polars as pl

from translate import events
from translate.archive.batches import Lines
from translate.archive.drawing import beside
from translate.conversion.census import Key
from translate.conversion.census.arrangement import Arrangement
from translate.conversion.census.destinations import Fate
from translate.conversion.census.evidence import MIXED
from translate.conversion.census.fates import COUNTS, Fates, Found
from translate.conversion.job import VERIFY, Job
from translate.conversion.plan import BEFORE, FIRST, Query
from translate.engine.library import library
from translate.engine.tally import FLAGS_MAX, KeyTally, Remark, Way
from translate.vocabulary.notes import USED, InHub, read
from translate.writer.batchwork import NAME as OF_LISTS
from translate.writer.writer import FILTERED, NOTES

NEW_NAMES = "_names"
WAITING_MAX = 2
CONTEXT = ("code", FILTERED, USED, "name")  # what of a row matters to all of its keys


# A row of which nothing is known.
ROW = {
    "file": "", "line": 0, "code": None, FILTERED: None, USED: [], "name": "", "nulls": 0, NOTES: [], "notes": [],
    NEW_NAMES: None,
}  # fmt: skip

# In which column of a row something is said, and what: a note, or a column with a new name and the old one of a key in it.
Said = tuple[str, str, str, str]


class TalliedFates:
    """Has the kernel count the keys of one unit's rows; what it leaves is looked at row by row."""

    def __init__(self, fates: Fates, job: Job, query: Query, tally: KeyTally) -> None:
        self._fates = fates
        self._tally = tally
        self._flags = [f"_loss{number}" for number, _ in enumerate(query.counts.losses)]
        self._before = [name for name in fates.columns if name.startswith(BEFORE)]
        self._said: list[Said] = []
        self._numbers: dict[Said, int] = {}
        self._names_that_matter = _names_that_matter(job)
        self._waiting: deque[Future[None]] = deque()

    @classmethod
    def of(cls, fates: Fates, job: Job, query: Query) -> Self | None:
        """Give the kernel's way of counting; None where there is no kernel, or the layout is none of records on lines."""
        kernel = library()
        layout = job.source_layout
        is_for_kernel = layout.records == "json-lines" and layout.request is None
        if kernel is None or not is_for_kernel or len(query.counts.losses) > FLAGS_MAX:
            return None
        root = Arrangement(fates.evidence, lambda key: _has_fate(fates, key)).root()
        if root is None:
            return None
        before = [name.removeprefix(BEFORE) for name in fates.columns if name.startswith(BEFORE)]
        flags = [loss.spot.column for loss in query.counts.losses]
        tally = KeyTally(kernel, root, flags=flags, hub=before, mixed=[*MIXED, "extra"])
        return cls(fates, job, query, tally)

    def add_empty_line(self, text: str) -> None:
        """Count nothing: only lines of requests have keys without any event."""

    def add(self, batch: pl.DataFrame) -> None:
        """Count a batch's keys, beside what else becomes of it; few batches may wait, for they hold memory."""
        while len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft().result()
        last = self._waiting[-1] if self._waiting else None
        self._waiting.append(beside(self._count, batch, after=last))

    def _count(self, batch: pl.DataFrame) -> None:
        first = batch if batch.select(FIRST.all()).item() else batch.filter(FIRST)
        if not first.height:
            return
        left = self._tally.add(self._frame(first))
        if left.any():
            self._fates.add(first.filter(left))

    def _frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        context = [pl.col(name) for name in CONTEXT if name in rows.columns]
        return rows.select(
            text=pl.when(~pl.col("base64")).then(pl.col("text")),
            context=pl.struct(context).struct.json_encode(),
            rejected=pl.col("code").is_not_null(),
            nulls=pl.col("nulls").cast(pl.Int64),
            remarks=pl.Series(self._remarks(rows), dtype=pl.Int64),
        ).hstack(rows.select(*self._flags, *self._before).get_columns())

    # -- what is said of rows -----------------------------------------------------------------------------------

    def _remarks(self, rows: pl.DataFrame) -> list[int]:
        """Give what is said of each row a number; -1 where nothing is."""
        found = [-1] * rows.height
        columns = [name for name in (NOTES, "notes", NEW_NAMES) if name in rows.columns]
        said = pl.any_horizontal(pl.col(name).is_not_null() for name in columns)
        for number, *told in rows.select(columns).with_row_index().filter(said).iter_rows():
            row = dict(zip(columns, told, strict=True))
            numbers = tuple(self._number(each) for each in _said_in(row))
            found[number] = self._tally.remarks(numbers) if numbers else -1
        return found

    def _number(self, said: Said) -> int:
        if said not in self._numbers:
            self._numbers[said] = self._tally.remark(_remark(said))
            self._said.append(said)
        return self._numbers[said]

    # -- what became of them ------------------------------------------------------------------------------------

    def checked(self) -> pl.DataFrame:
        """Give the counts, if both agree."""
        while self._waiting:
            self._waiting.popleft().result()
        account, evidence = self._fates.account, self._fates.evidence
        table, event_types, texts, ways = self._tally.counted()
        contexts = {number: self._of_account(json.loads(text)) for number, text in texts.items()}
        numbers = {context: number for number, context in contexts.items()}
        same = [numbers[contexts[number]] for number in table["context"]]
        table = table.with_columns(context=pl.Series(same, dtype=pl.Int64))
        keys = {number: Key(way.path, way.sort, way.known, doubled=False) for number, way in ways.items()}
        names = {number: evidence.name_of(key) for number, key in keys.items()}
        judged = {
            (way, context): list(self._judge(ways[way], keys[way], names[way], *contexts[context]))
            for way, context in table.select("way", "context").unique().iter_rows()
        }
        if all([name for name, _ in told] == [names[way]] for (way, _), told in judged.items()):
            verdicts = {pair: (told[0][0], *told[0][1]) for pair, told in judged.items()}
            account.agreed = _named(table, event_types, verdicts)
        else:
            for event, context, way, count in table.iter_rows():
                event_type = event_types.get(event)
                account.census[event_type, names[way]] += count
                for told, fate in judged[way, context]:
                    account.fates[event_type, told, fate] += count
        return self._fates.checked()

    def _of_account(self, context: dict[str, Any]) -> tuple[Any, ...]:
        """Give of a row's context what may matter to a key: its event's name only where the target asks for it."""
        event = context["name"] if context["name"] in self._names_that_matter else ""
        return context["code"], context[FILTERED], tuple(context.get(USED) or ()), event

    def _judge(
        self,
        way: Way,
        key: Key,
        name: str,
        code: str | None,
        filtered: str | None,
        used: tuple[str, ...],
        event: str,
    ) -> Iterator[tuple[str, Fate]]:
        """Judge a way as that of a row with nothing but one key."""
        said = [self._said[number] for number in way.remarks]
        row = {
            **ROW, "code": code, FILTERED: filtered, USED: list(used), "name": event, "nulls": int(way.sort == "null"),
            NOTES: [note for column, note, _, _ in said if column == NOTES],
            "notes": [note for column, note, _, _ in said if column == "notes"],
            NEW_NAMES: _names([each for each in said if each[0] == NEW_NAMES]),
        }  # fmt: skip
        # An empty map is not an absent one.
        held: dict[str, Any] = {column: {} if column in events.MAPS else True for column in way.there}
        if way.home is not None:
            held[way.home] = {way.path[-1]: ""}
        if way.extra is not None:
            rest = next(rest for name, rest in self._fates.evidence.extra_paths(key) if name == way.extra)
            held["extra"] = {way.extra: _nested(rest)}
        return self._fates.of_one(_found(key, name), row, held, list(way.flags))


KeysAccount = Fates | TalliedFates


def keys_account(job: Job, query: Query, lines: Lines) -> KeysAccount:
    """Give the account of a unit's keys: as the kernel tallies it where it can and is not to be verified, else by the scanner."""
    fates = Fates(job, query, lines)
    return fates if job.census == VERIFY else TalliedFates.of(fates, job, query) or fates


def _named(
    table: pl.DataFrame, event_types: dict[int, str], judged: dict[tuple[int, int], tuple[str, str, str]]
) -> pl.DataFrame:
    """Add up the counts of keys that have the same fate, and say their names."""
    numbers: dict[tuple[str, str, str], int] = {}
    verdicts = [(*pair, numbers.setdefault(verdict, len(numbers))) for pair, verdict in judged.items()]
    pairs = pl.DataFrame(verdicts, dict.fromkeys(("way", "context", "verdict"), pl.Int64), orient="row")
    joined = table.join(pairs, on=["way", "context"])
    counted = joined.group_by("event_type", "verdict").agg(pl.col("keys").sum())
    names = pl.DataFrame([*numbers], dict.fromkeys(("key", "fate", "how"), pl.String), orient="row")
    types = [event_types.get(number) for number in counted["event_type"]]
    return pl.DataFrame(
        [pl.Series(types, dtype=pl.String), *names[counted["verdict"]], counted["keys"]], schema=COUNTS
    )


def _has_fate(fates: Fates, key: Key) -> bool:
    """Tell whether a key has a fate though nothing of its row speaks for it."""
    found = any(True for _ in fates.of_one(_found(key), ROW, {}, []))
    fates.account.first_lost = ""  # it is no key of any file
    return found


def _found(key: Key, name: str = "") -> Found:
    return Found("", None, [(key, name)])


def _nested(path: tuple[str, ...]) -> str:
    """Stand for a value that has a member at the end of a path."""
    value: Any = ""
    for segment in reversed(path):
        value = {segment: value}
    return json.dumps(value)


def _said_in(row: dict[str, Any]) -> Iterator[Said]:
    for column in (NOTES, "notes"):
        yield from ((column, note, "", "") for note in row.get(column) or ())
    names: dict[str, dict[str, str]] = json.loads(f"{{{row.get(NEW_NAMES) or ''}}}")
    names.pop(OF_LISTS, None)  # what was a list keeps its name
    for column, renamed in names.items():
        yield from ((NEW_NAMES, column, new, old) for new, old in renamed.items())


def _remark(said: Said) -> Remark:
    column, text, _, old = said
    if column == NEW_NAMES:
        return Remark(text, old)
    spot = read(text).spot
    return Remark(spot.column, spot.key) if isinstance(spot, InHub) else Remark(None, None, spot.path)


def _names(said: Iterable[Said]) -> str | None:
    """Write new names as a row has them."""
    names: dict[str, dict[str, str]] = {}
    for _, column, new, old in said:
        names.setdefault(column, {})[new] = old
    return json.dumps(names)[1:-1] or None


def _names_that_matter(job: Job) -> frozenset[str]:
    """Give the events' names that a field of the target asks for."""
    fields = job.target_layout.all_fields if job.target_layout else ()
    return frozenset(name for entry in fields for name in entry.when)
