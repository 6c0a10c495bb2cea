"""What each layout that can be written would make of the archive: what fits, what is lost, how long it takes.

The first events are tried on each target; ages, users and repeats are taken from the figures of all events.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from translate import mapping
from translate.conversion import account, plan
from translate.conversion.report import RunReport
from translate.judging import preflight, survey
from translate.mapping.sending import Delivery
from translate.mapping.spec import Layout, Mapping
from translate.reader.tree import ANY
from translate.telling import explanation
from translate.telling.explanation.pages import Explanation
from translate.telling.inspection.reading import Grounds
from translate.vocabulary import notes
from translate.vocabulary.notes import RECEIVER_CHANGES, Loss
from translate.writer.packing import OPEN_BYTES_MAX, Packer
from translate.writer.shape import Source, request_fields, same_events
from translate.writer.writer import FILTERED, NOTES, Writer

Grade = Literal["fits", "loses", "part", "drops", "none"]
# What a target wants to be told, and what stands for it while it is tried.
STAND_INS: dict[str, Any] = {"tracking_id": "tracking-id", "day": dt.date(2000, 1, 1), "app_id": "app"}
MOST = 0.99  # of the events: a target that loses so many keeps none to speak of


@dataclass(frozen=True)
class GradedTarget:
    """What one layout would make of the archive; `tried` is how many of its first events the counts are of."""

    layout: str
    title: str
    about: str
    grade: Grade
    tried: int
    taken: int
    refused: dict[str, int]
    left_out: int
    altered: list[dict[str, Any]]  # what the receiver takes and changes
    filled: int
    missing: list[str]
    losses: list[dict[str, Any]]
    settings: list[str]
    delivery: dict[str, Any] | None
    has_ended: bool  # the service is there no more


def targets(grounds: Grounds, now: dt.datetime) -> list[GradedTarget]:
    """Grade every layout that can be written, but the archive's own."""
    if not grounds.sample.height:
        return []
    folder = grounds.settings.mappings
    sheets = [mapping.load(name, folder) for name in mapping.models(folder)]
    layouts = [(sheet, layout) for sheet in sheets for layout in sheet.layouts.values() if layout.write]
    own = [layout.address for layout in grounds.layouts]
    others = ((sheet, layout) for sheet, layout in layouts if own != [layout.address])
    return [_Trial(grounds, sheet, layout).target(now) for sheet, layout in others]


class _Trial:
    """The first events of an archive, written as one layout."""

    def __init__(self, grounds: Grounds, sheet: Mapping, layout: Layout) -> None:
        self.grounds = grounds
        self.sheet = sheet
        self.layout = layout
        wanted = {name: value for name, value in STAND_INS.items() if not getattr(grounds.settings, name)}
        self.asked = _asked(layout, wanted)
        given = {name: wanted[name] for name in self.asked if name != "day"}
        self.settings = dataclasses.replace(grounds.settings, **given)

    def target(self, now: dt.datetime) -> GradedTarget:
        """Write, count and judge."""
        first = self.grounds.layouts[0]
        provided = frozenset({*self.grounds.provided, "event_id"})
        keeps_extra, lists = same_events(first, self.layout), frozenset(first.lists)
        source = Source(provided, self.grounds.places, keeps_extra=keeps_extra, lists=lists)
        writer = Writer(self.sheet, self.layout, self.settings, source)
        planned = writer.plan()
        lost = [loss.events.fill_null(value=False) for loss in planned.losses]
        losses = {f"_loss{number}": events for number, events in enumerate(lost)}
        changes = [finding for finding in planned.findings if finding.code == RECEIVER_CHANGES]
        altered = {f"_altered{number}": change.events for number, change in enumerate(changes)}
        rows = writer.rows(plan.without_recipe(self._events()))
        members = writer.members() if self.layout.request else []
        shown = rows.with_columns(**losses, **altered)
        shown = shown.select("code", FILTERED, NOTES, *losses, *altered, *members)
        frame = shown.collect(engine="in-memory")
        written = frame.filter(plan.WRITTEN)
        codes = frame["code"].drop_nulls().value_counts()
        refused = dict(sorted(codes.iter_rows(), key=lambda entry: -entry[1]))
        counted = _counted(written, planned.losses, source)
        own, folder = self.grounds.layouts[0].address, self.settings.mappings
        explained = explanation.of_pair(own, self.layout.address, None, self.settings, folder)
        filled = sum(row.state == "filled" for row in explained.rows)
        missing = [place for place in explained.missing if place not in self.asked]
        left_out = frame.height - written.height - sum(refused.values())
        no_place = list(self._without_place(explained, source, {entry["field"] for entry in counted}))
        losing = [entry for entry in counted if entry["kind"] != "changed"]
        in_requests = written.select(frame.columns[3 + len(losses) + len(altered) :])
        delivered = self._delivered(in_requests, frame.height, now)
        grade = _grade(frame.height, written.height, delivered, losing=bool(losing))
        return GradedTarget(
            self.layout.address, self.sheet.title, self.layout.about, grade, frame.height, written.height, refused, left_out,
            [{"message": change.message, "events": events} for name, change in zip(altered, changes, strict=True) if (events := int(written[name].sum()))] + self._aged(now),
            filled, missing, sorted(counted, key=lambda entry: (-entry["events"], entry["field"], entry["kind"], entry["why"])) + no_place,
            self.asked, delivered, bool(self.sheet.delivery and (support := self.sheet.delivery.support) and now.date() > support.ended),
        )  # fmt: skip

    def _events(self) -> pl.LazyFrame:
        """Give the first events as `convert` would: with made ids only for a target that has a place for them."""
        frame = plan.from_hub(self.grounds.sample.lazy()).with_columns(self.grounds.sample["notes"])
        has_place = any("event_id" in entry.hub for entry in self.layout.all_fields)
        return frame if has_place else frame.with_columns(self.grounds.sample["event_id"])

    def _without_place(
        self, explained: Explanation, source: Source, counted: set[str]
    ) -> Iterator[dict[str, Any]]:
        """Give what has no place in the target, and of which the first events had none to count."""
        sample = self.grounds.sample
        given = {name for name in self.grounds.provided if sample[name].null_count() < sample.height}
        for row in explained.rows:
            columns = {origin.column for origin in row.origins if origin.column}
            places = {source.place(column) for column in columns}
            if row.state in ("cannot", "not_mapped") and columns & given and not (columns | places) & counted:
                why = "; ".join(row.lost)
                yield {"field": ", ".join(sorted(places)), "kind": row.state, "why": why, "events": None}

    # -- delivery -----------------------------------------------------------------------------------------------

    def _delivered(self, rows: pl.DataFrame, tried: int, now: dt.datetime) -> dict[str, Any] | None:
        delivery = self.sheet.delivery
        if delivery is None or delivery.layout != self.layout.name or not rows.height:
            return None
        output = io.BytesIO()
        packer = Packer(self.layout, self.settings, output)
        packer.add(rows)
        packer.finish()
        events = self.grounds.surveyed.events * packer.events // tried
        each = output.tell() / packer.events
        is_whole = tried == self.grounds.surveyed.events
        least, most = (packer.requests, packer.requests) if is_whole else self._requests(events, each)
        quick = self._plan(delivery, least, events)
        slow = self._plan(delivery, most, events)
        return {
            "events": events,
            "requests": {"at_least": least, "at_most": most},
            "hours": {"at_least": quick.hours, "at_most": slow.hours},
            "requests_per_second": slow.requests_per_second,
            "hours_at_quota": {"at_least": least / delivery.quota.requests_per_second / 3600, "at_most": most / delivery.quota.requests_per_second / 3600},
            "quota": {
                "requests_per_second": delivery.quota.requests_per_second, "scope": delivery.quota.scope, "documented": delivery.quota.documented,
                "source": delivery.quota.source, "date": delivery.quota.date.isoformat(),
            },
            "bytes": round(events * each),
            "findings": [
                {"name": found.name, "loses": found.loses, "message": found.message, "instead": found.instead, "events": found.events, "share": found.share, "source": found.source}
                for found in self._forecasts(delivery, now)
            ],
        }  # fmt: skip

    def _forecasts(self, delivery: Delivery, now: dt.datetime) -> list[preflight.Forecast]:
        known = dataclasses.replace(self._surveyed(delivery), events=self.grounds.surveyed.events)
        told, layout = self.grounds.settings, self.layout.name
        return preflight.judge(self.sheet, known, told, now=now, overrides=told.overrides, layout=layout)

    def _aged(self, now: dt.datetime) -> list[dict[str, Any]]:
        """Say what is altered for its age, where no delivery tells it."""
        delivery = self.sheet.delivery
        told = self._forecasts(delivery, now) if delivery and delivery.layout != self.layout.name else []
        return [{"message": each.message, "events": each.events} for each in told if each.receiver_changes]

    def _plan(self, delivery: Delivery, requests: int, events: int) -> preflight.Schedule:
        surveyed = dataclasses.replace(self.grounds.surveyed, requests=requests, events=events)
        return preflight.plan_of_run(delivery, surveyed)

    def _requests(self, events: int, bytes_each: float) -> tuple[int, int]:
        """Reckon the fewest and the most requests: one holds the events of one sender only, so many and so many bytes.

        Senders are told apart by what lies around the events. Where people or sessions do, how much the rest tells them
        apart besides is taken from the first events; where only apps and devices do, each may come with each. An id that
        comes twice needs a second request.
        """
        request = self.layout.request
        assert request is not None
        by_bytes = events * bytes_each / (request.bytes_max or math.inf)
        full = max(events / (request.events_max or events or 1), by_bytes)
        fields, groups = request_fields(self.layout, self.settings), self.grounds.groups
        shared = [entry for entry in fields if ANY not in entry.path and not entry.word.is_stamp]
        names = {column for entry in shared for column in entry.hub}
        around = {name: max(1, groups[name]) for name in sorted(names & groups.keys())}
        widest = max(around, key=lambda name: around[name], default="")
        least = around.get(widest, 1)
        tried = self.grounds.sample.select(list(around))
        most: float = math.prod(around.values())
        if set(around) & {"session.id", "client_id", "user_id"}:
            most = least * tried.n_unique() / tried[widest].n_unique()
        windows = max(self.grounds.units, math.ceil(events * bytes_each / OPEN_BYTES_MAX))
        are_named = bool(request.each) and request.each[-1] == ANY  # by their ids
        repeated = self.grounds.duplicates if are_named else 0
        in_all = math.ceil(full + most * windows + repeated)
        return max(min(least, events), math.ceil(full)), min(events, in_all)

    def _surveyed(self, delivery: Delivery) -> survey.Surveyed:
        """Give the figures in the words of a target's hazards."""
        grounds, hazards = self.grounds, list(delivery.preflight.values())
        known = grounds.surveyed
        is_person = any({"client_id", "user_id"} <= {*entry.hub} for entry in self.layout.all_fields)
        users = {**known.users, "user_id": known.users["persons" if is_person else "user_id"]}
        missing = {**known.missing, "user_id": grounds.missing_person}
        asked = dict.fromkeys(name for hazard in hazards for name in hazard.columns if name in grounds.sample)
        columns = {name: known.events - int(grounds.sample[name].count()) for name in asked}
        same = {True: grounds.same_moment, False: grounds.duplicates}
        repeating = [hazard for hazard in hazards if hazard.check in survey.REPEATING]
        repeated = {survey.identity(hazard): same["item_id" in hazard.columns] for hazard in repeating}
        overwriting = [hazard.setting for hazard in hazards if hazard.check == "endpoint_overwritten"]
        settings = {setting: 0 for setting in overwriting if setting}
        missing = {**columns, **missing}
        return dataclasses.replace(known, users=users, missing=missing, repeated=repeated, asked=settings)


def _counted(written: pl.DataFrame, losses: Sequence[Loss], source: Source) -> list[dict[str, Any]]:
    """Count what the written events lost, as a conversion's report does."""
    report = RunReport()
    for number, loss in enumerate(losses):
        report.lose(loss.field, loss.kind, loss.why, int(written[f"_loss{number}"].sum()))
    for text, count, _ in account.counts_of_notes(written, source):
        told = notes.read(text)
        report.lose(source.shown(told.spot), told.kind, told.why, count)
    names = ("field", "kind", "why")
    return [{**dict(zip(names, lost, strict=True)), "events": count} for lost, count in report.losses.items()]


def _grade(tried: int, taken: int, delivered: dict[str, Any] | None, *, losing: bool) -> Grade:
    """Grade a target: by what it takes, and by what becomes of that once it is sent there."""
    shares = [found["share"] for found in delivered["findings"] if found["loses"]] if delivered else []
    if not taken:
        return "none"
    if max(shares, default=0) >= MOST:
        return "drops"
    if taken < tried:
        return "part"
    return "loses" if losing or shares else "fits"


def _asked(layout: Layout, wanted: dict[str, Any]) -> list[str]:
    """Name the settings that a layout's fields ask for and that nobody gave."""
    named = {entry.setting for entry in layout.all_fields if entry.setting and entry.required}
    return sorted((named | ({"day"} if layout.folder else set())) & wanted.keys())
