"""The page that somebody signs once a migration is done: what was there, what was done, what was lost and why, and how one can tell."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from translate import __version__
from translate.conversion.calls import Folder, Given, Sources, listed
from translate.errors import UsageError
from translate.telling.figures import parity
from translate.telling.figures.result import Parity
from translate.telling.pages import write_page
from translate.telling.signoff import pages
from translate.telling.signoff.trails import ConversionTrail, ReplayTrail, changed_inputs, trails_of
from translate.vocabulary.notes import flaws
from translate.wording.arguments import checked
from translate.wording.rendering import Table, escaped, many, printable, table_html
from translate.wording.terminal import Paper, columns, visible

UNKNOWN = "not_recognised"
TORN = ("damaged_file", "unreadable_file")
OPEN_MAX = 3  # points of the verdict: all of them are listed below it


@dataclass(frozen=True, repr=False)
class Dossier:
    """What tells of a migration.

    `conversions` and `replays` are what the directories hold, `compared` the figures on both sides by directory, `changed` the
    files of a source that are not those of the run any more. `open` names what somebody has to settle, or to accept by a signature.
    """

    conversions: tuple[ConversionTrail, ...]
    replays: tuple[ReplayTrail, ...] = ()
    compared: dict[str, Parity] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """Name what is not as it should be, in the order of its weight."""
        points = [*self._open_conversions(), *self._open_replays()]
        is_one = len({folder for folder, _ in points}) == 1 and len(self.conversions) + len(self.replays) == 1
        return [point if is_one else f"{folder}: {point}" for folder, point in points]

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is open, and the receiver loses nothing that nobody accepted."""
        return not self.open and not self._endangered()

    def _open_conversions(self) -> Iterator[tuple[str, str]]:
        for trail in self.conversions:
            counts, rejects = trail.report["events"], trail.report["rejects"]
            compared, changed = self.compared.get(trail.folder), self.changed.get(trail.folder) or []
            unexplained = compared.unexplained if compared else 0
            left = (trail.report.get("erasure") or {}).get("found") or 0
            torn, unknown = sum(rejects.get(code, 0) for code in TORN), rejects.get(UNKNOWN, 0)
            points = [
                (counts["read"] and not counts["written"], "nothing was written"),
                (unexplained, f"{many(unexplained, 'difference')} between the figures that nothing explains"),
                (changed, f"{many(len(changed), 'file')} of the source {_is(len(changed))} not as when it was converted ({''.join(changed[:1])})"),
                (left, f"{many(left, 'place')} where somebody who was to be erased still stands"),
                (counts["rejected"], f"{many(counts['rejected'], 'event')} rejected"),
                (torn, f"{many(torn, 'file')} damaged: the rest of what they held is lost, and not counted"),
                (unknown, f"{many(unknown, 'file')} {_is(unknown)} of no layout that can be read: what was in there is not counted"),
                *((True, str(flaw["message"])) for flaw in flaws(trail.report)),
            ]  # fmt: skip
            yield from ((trail.folder, point) for is_so, point in points if is_so)

    def _open_replays(self) -> Iterator[tuple[str, str]]:
        for trail in self.replays:
            left, refused, lost = trail.events["left"], trail.events["rejected"], trail.lost_events
            points = [
                (left, f"{many(left, 'event')} not sent yet{f': {trail.stopped}' if trail.stopped else ''}"),
                (refused, f"the receiver refused {many(refused, 'event')}"),
                (lost, f"of {many(lost, 'event')} no answer came, so they were sent again and may be there twice"),
            ]  # fmt: skip
            yield from ((trail.folder, point) for is_so, point in points if is_so)

    @property
    def verdict(self) -> list[str]:
        """Say what was done, whether the figures agree, what the receiver loses unless somebody acts, and what is open."""
        told = (self._done(), self._figures(), self._endangered(), self._left())
        return [sentence for sentence in told if sentence]

    def _endangered(self) -> str:
        told = [
            f"{trail.report['to']} would lose data: {', '.join(listed)}"
            for trail in self.conversions
            if (listed := [*self._unaccepted(trail)])
        ]
        return f"By the end of the archive {'; '.join(told)}; nobody accepted that." if told else ""

    def _unaccepted(self, trail: ConversionTrail) -> Iterator[str]:
        for hazard in trail.report.get("hazards", ()):
            if hazard["loses"] and pages.accepting(hazard, trail.folder, self.replays) is None:
                yield f"{hazard['name']} ({many(hazard['events'], 'event')})"

    def _done(self) -> str:
        told = [
            f"{many(counts['read'], 'event')} of {trail.report['from']} ({many(trail.inputs.files, 'file')}): {counts['written']:,} written as {trail.report['to']}, {counts['rejected']:,} rejected"
            for trail in self.conversions
            for counts in [trail.report["events"]]
        ]
        told += [
            f"{trail.events['sent']:,} of {many(trail.events['total'], 'event')} sent to {trail.endpoint}"
            for trail in self.replays
        ]
        return f"{'; '.join(told)}."

    def _figures(self) -> str:
        if not self.conversions:
            return ""
        if not self.compared:
            away = next((trail.folder for trail in self.conversions if trail.rows_are_elsewhere), None)
            if away is not None:
                return f"The figures on both sides were not compared: the rows do not lie in {away}; copy them from their bucket to {away}/data, and ask again."
            lakes = all(trail.is_lake for trail in self.conversions)
            not_named = "The figures on both sides were not compared: name the source."
            return "The figures of a lake are counted by SQL." if lakes else not_named
        unexplained = sum(each.unexplained for each in self.compared.values())
        if unexplained:
            return f"Of the differences between the figures on both sides, {unexplained:,} {_is(unexplained)} not explained."
        if any((each.frame["explanation"] != "").any() for each in self.compared.values()):
            return "Every difference between the figures on both sides is explained."
        return "The figures on both sides are the same."

    def _left(self) -> str:
        if not self.open:
            return "Nothing is open."
        more = len(self.open) - OPEN_MAX
        told = "; ".join([*self.open[:OPEN_MAX], *([f"and {more:,} more"] if more > 0 else [])])
        return f"To settle, or to accept by a signature: {told}."

    def __repr__(self) -> str:
        names = [trail.name for trail in self.conversions] or [trail.to for trail in self.replays]
        told = many(len(self.open), "open point") if self.open else "nothing is open"
        return f"<Dossier {', '.join(names)}: {told}>"

    def __str__(self) -> str:
        return self.to_text()

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "version": __version__,
            "verdict": self.verdict,
            "open": self.open,
            "conversions": [
                {**trail.to_json(), "changed_inputs": self.changed.get(trail.folder),
                 "figures": self.compared[trail.folder].to_json() if trail.folder in self.compared else None}
                for trail in self.conversions
            ],
            "replays": [trail.to_json() for trail in self.replays],
        }  # fmt: skip

    def to_text(self, width: int | None = None, *, colour: bool = False) -> str:
        """Write the verdict, the counts and the digests for a terminal of so many characters."""
        paper = Paper(width, colour)
        lines = [*columns([(printable(sentence),) for sentence in self.verdict], paper, wrapped=(0,))]
        for trail in self.conversions:
            counts = trail.report["events"]
            lines += ["", paper.styled(f"{printable(trail.folder)}: {trail.name}", "bold")]
            lines += columns([(name, f"{count:,}") for name, count in counts.items() if count or name in ("read", "written")], paper)  # fmt: skip
            lines += _beside_or_below(trail.digests, paper)
        for sent in self.replays:
            lines += ["", paper.styled(f"{printable(sent.folder)}: sent to {printable(sent.endpoint)}", "bold")]  # fmt: skip
            lines += columns([(name, f"{count:,}") for name, count in sent.events.items()], paper)
            accepted = [(f"--accept {name}", f"since {at}") for name, at in sent.accepted.items()]
            lines += columns(accepted, paper, kept=(1,))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the verdict and the counts in a notebook."""
        told = "".join(f"<p>{escaped(sentence)}</p>" for sentence in self.verdict)
        counts = ((trail.name, trail.report["events"]) for trail in self.conversions)
        rows = [(name, *(events[each] for each in pages.COUNTED)) for name, events in counts]
        table = table_html(Table("Conversions", ("", *pages.COUNTED), rows)) if rows else ""
        return f"<div>{told}{table}</div>"

    @checked
    def write_html(self, path: str | os.PathLike[str]) -> None:
        """Write the page to sign; it needs nothing but itself."""
        write_page(path, pages.page(self, dt.datetime.now(dt.UTC)))


def _beside_or_below(named: list[tuple[str, str]], paper: Paper) -> Iterator[str]:
    """Write digests beside their names, or below where that does not fit: half a digest is none."""
    beside = [*columns(named, Paper(None, paper.colour), kept=(1,))]
    if paper.width is None or max(map(visible, beside), default=0) <= paper.width:
        yield from beside
        return
    for name, digest in named:
        yield from (f"  {name}", f"    {digest}")


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


@checked
def dossier(
    folder: Sources, *, source: Sources = (), recipe: Sources | None = None,
    settings: Given = None, set_: Sequence[str] = (), mappings: Folder | None = None,
    erase: str | os.PathLike[str] | None = None,
) -> Dossier:  # fmt: skip
    """Put together what tells of a migration: directories that `convert` left, and journals of `replay`, one or several.

    With `source` the figures on both sides are compared, as `parity` does, and the source's files are held against the
    digests of the run: one source for all directories, or one for each conversion, in order. `recipe` is one of your own that a run
    had, or several of them, `erase` the list of those whom runs left out. Nothing is changed. Raise UsageError, MappingError or
    SourceError.

    >>> import translate
    >>> report = translate.convert("sample_data/mobile_analytics/archive_full.jsonl", to="clickstream", out="signed")
    >>> translate.dossier("signed", source="sample_data/mobile_analytics/archive_full.jsonl")
    <Dossier mobile_analytics/archive → clickstream/events: nothing is open>
    """
    trails = [trail for each in listed(folder) for trail in trails_of(each)]
    conversions = [trail for trail in trails if isinstance(trail, ConversionTrail)]
    replays = [trail for trail in trails if isinstance(trail, ReplayTrail)]
    sources = _sources(listed(source), len(conversions))
    compared, changed = {}, {}
    for trail, origin in zip(conversions, sources, strict=False):
        changed[trail.folder] = changed_inputs(trail, origin)
        if trail.is_lake or trail.rows_are_elsewhere:
            continue
        compared[trail.folder] = parity(
            origin, trail.folder, recipe=_recipe(trail, listed(recipe or ())), settings=settings, set_=set_, mappings=mappings,
            erase=erase if "erasure" in trail.report else None,
        )  # fmt: skip
    return Dossier(tuple(conversions), tuple(replays), compared, changed)


def _sources(given: list[str | os.PathLike[str]], conversions: int) -> list[str | os.PathLike[str]]:
    """Give each conversion its source; raise UsageError where it is not clear which."""
    if len(given) not in (0, 1, conversions):
        told = f"{len(given)} sources for {conversions} conversions"
        raise UsageError(f"{told}: name one for all of them, or one for each, in order")
    return given * conversions if len(given) == 1 else given


def _recipe(trail: ConversionTrail, given: list[str | os.PathLike[str]]) -> str | os.PathLike[str] | None:
    """Give a run that one of these recipes of one's own that it had."""
    names = {name.removesuffix(".toml") for name in trail.report["mapping"]}
    return next((recipe for recipe in given if Path(recipe).name.removesuffix(".toml") in names), None)
