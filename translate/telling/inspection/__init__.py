"""What is in an archive: one streaming pass, told as figures, as tables and as a page."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from translate.conversion import calls, nothing
from translate.conversion.reading import Progress
from translate.telling import charts
from translate.telling.inspection import grading, pages, tables
from translate.telling.inspection.findings import keys_frame, values_of
from translate.telling.inspection.grading import GradedTarget
from translate.telling.inspection.reading import Grounds, Pass
from translate.telling.inspection.tables import PEOPLE
from translate.telling.pages import write_page
from translate.vocabulary import notation
from translate.wording.arguments import checked
from translate.wording.rendering import Table, escaped, many, table_html
from translate.wording.terminal import Paper

# Where the types go: no text in JSON holds a line break.
NO_TYPES = '\n  "types": []'
TYPE = """
    {{
      "name": {name},
      "events": {events},
      "keys": [{keys}]
    }}"""
KEY = """
        {{
          "container": {},
          "key": {},
          "events": {},
          "fill": {},
          "looks": {{{}
          }}{}
        }}"""
LOOK = '\n            "{}": {}'
EXAMPLE = ',\n          "example": {}'


def pieces(values: dict[str, Any], keys: pl.DataFrame, *, examples: bool) -> Iterator[str]:
    """Give the text, as `json` indents it by two."""
    head, _, tail = json.dumps({**values, "types": []}, indent=2, ensure_ascii=False).partition(NO_TYPES)
    if not values["types"]:
        yield head + NO_TYPES + tail
        return
    listed = dict(_by_type(keys, examples=examples).iter_rows())
    yield f'{head}\n  "types": ['
    for number, entry in enumerate(values["types"]):
        text = listed.get(entry["name"])
        shown = {"name": notation.quoted(entry["name"]), "keys": f"{text}\n      " if text else ""}
        yield f"{',' if number else ''}{TYPE.format(events=entry['events'], **shown)}"
    yield f"\n  ]{tail}"


def _by_type(keys: pl.DataFrame, *, examples: bool) -> pl.DataFrame:
    """Give the text of each type's keys."""
    look = pl.format(LOOK, pl.element().struct.field("look"), pl.element().struct.field("events"))
    shown = {
        "container": _texts(keys["container"]), "key": _texts(keys["key"]), "events": keys["events"],
        "fill": pl.Series(["null" if fill is None else repr(fill) for fill in keys["fill"]], dtype=pl.String),
        "looks": keys.select(pl.col("looks").list.eval(look).list.join(",")).to_series(),
        "example": keys.select(pl.format(EXAMPLE, _texts(keys["example"]).fill_null("null"))).to_series() if examples else pl.lit(""),
    }  # fmt: skip
    rows = keys.select("name", text=pl.format(KEY, *shown.values()))
    return rows.group_by("name", maintain_order=True).agg(pl.col("text").str.join(","))


def _texts(values: pl.Series) -> pl.Series:
    return notation.by_distinct_value(values, notation.quoted)


def fragment(values: dict[str, Any], keys: pl.DataFrame) -> str:
    """Write what one looks for first."""
    people = {title: values["people"][name]["different"] for name, title in PEOPLE.items()}
    counted = [(name, count) for name, count in {**values["events"], **people}.items() if count]
    days = [(entry["day"], entry["events"]) for entry in values["days"]]
    types = [(entry["name"], entry["events"]) for entry in values["types"]]
    faults = [(each["count"], f"{each['of']} {each['message']}", each["hint"]) for each in values["faults"]]
    parts = [f"<p>{escaped(_sentence(values))}</p>"]
    if counted:
        parts.append(table_html(Table(values["from"], ("", "count"), counted)))
    if days:
        parts.append(f"<p><b>Events by {charts.unit_of(days)}</b></p>{charts.picture(charts.by_time(days))}")
    if types:
        parts.append(table_html(Table("Event types", ("event type", "events"), types)))
    if faults:
        parts.append(table_html(Table("Faults", ("count", "what", "what to do"), faults)))
    else:
        parts.append("<p>No fault of those that are looked for.</p>")
    parts.append(f"<p>{many(keys.height, 'key')}: see <code>.keys</code></p>")
    return f'<div class="translate-inspection">{"".join(parts)}</div>'


def _sentence(values: dict[str, Any]) -> str:
    span, inputs = values["time"]["event"], values["inputs"]
    when = f", events from {span['first']} to {span['last']}" if span["first"] else ""
    return f"{many(inputs['files'], 'file')}, {inputs['bytes']:,} bytes{when}"


@dataclass(frozen=True, repr=False)
class Inspection:
    """What is in an archive.

    `values` are figures, lists and faults as JSON values; `keys` the frame of attribute and metric keys: `name` of the
    event type, `container`, `key`, `events`, `fill` (share of the type's events), `looks` (of its values), `example`.
    `targets` says, once it is asked, what each layout that can be written would make of the archive.
    """

    values: dict[str, Any]
    keys: pl.DataFrame
    grounds: Grounds = field(compare=False)
    examples: bool = False
    made: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC), compare=False)

    @cached_property
    def targets(self) -> list[GradedTarget]:
        """Try the first events on each layout that can be written."""
        return grading.targets(self.grounds, self.made)

    def to_json(self) -> dict[str, Any]:
        """Give all figures as JSON values, the keys below their types; without the targets."""
        listed: dict[str, list[dict[str, Any]]] = {}
        for name, container, key, events, fill, looks, example in self.keys.iter_rows():
            told = {"container": container, "key": key, "events": events, "fill": fill}
            told["looks"] = {look["look"]: look["events"] for look in looks}
            listed.setdefault(name, []).append({**told, "example": example} if self.examples else told)
        types = [{**entry, "keys": listed.get(entry["name"], [])} for entry in self.values["types"]]
        return {**self.values, "types": types}

    def json_pieces(self) -> Iterator[str]:
        """Give the same as text, indented by two, piece by piece."""
        return pieces(self.values, self.keys, examples=self.examples)

    def __repr__(self) -> str:
        return f"<Inspection {self.values['from']}: {self.values['events']['inspected']:,} events>"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int | None = None, *, colour: bool = False) -> str:
        """Write the tables for a terminal of so many characters, with colour if it shows any."""
        return self.on(Paper(width, colour, typed=False))

    def on(self, paper: Paper) -> str:
        """Write the tables for whoever reads this paper."""
        return tables.text(self.values, self.keys, paper, examples=self.examples)

    def _repr_html_(self) -> str:
        """Show the figures in a notebook."""
        return self.to_html()

    def to_html(self) -> str:
        """Give the figures as a piece of HTML that needs no style sheet, script or network."""
        return fragment(self.values, self.keys)

    @checked
    def write_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page that needs nothing but itself: figures, charts, faults, and each target's grade."""
        page = pages.page(self.values, self.keys, self.targets, self.made, examples=self.examples)
        write_page(path, page)


@checked
def inspect(
    source: calls.Sources, *, from_: str | None = None, where: str | None = None, since: calls.Moment = None,
    until: calls.Moment = None, limit: int | None = None,
    settings: calls.Given = None, set_: Iterable[str] = (), examples: bool = False,
    mappings: calls.Folder | None = None, progress: Progress | None = None,
) -> Inspection:  # fmt: skip
    """Look at an archive once, and say what is in it and what is wrong with it; nothing is changed.

    Holds no values of attributes without `examples` (one of each key). Counts are exact whatever the size, and
    memory is bounded; of values that are too many to list, `beyond` tells how many events have others. Raise
    UsageError before anything is read, SourceError if there is nothing to read.

    >>> import translate
    >>> found = translate.inspect("sample_data/mobile_analytics/archive_full.jsonl")
    >>> found
    <Inspection mobile_analytics/archive: 2 events>
    >>> found.keys.select("name", "key", "events").rows()
    [('session.stop', 'channel', 1), ('session.stop', 'score', 1)]
    """
    told = calls.settings_of(settings, set_, mappings)
    selection = calls.selection_of(where, since, until, limit)
    job, recognised = calls.reading_job(source, from_, told, selection, examples=examples)
    with tempfile.TemporaryDirectory(prefix="translate-") as folder:  # for what does not fit in memory
        seen = Pass(job, recognised, progress, Path(folder))
        seen.run()
        values = values_of(recognised, seen.figures, seen.events_by_source, told.mappings)
        values["selection"] = selection.described() if selection else {}
        keys = keys_frame(seen.figures)
        is_empty = values["events"]["read"] and not values["events"]["inspected"]
        why = nothing.why_nothing_taken(job, recognised) if is_empty else None
        values |= {"verdict": why} if why else {}
        return Inspection(values, keys, Grounds.of(seen, told), examples=examples)
