"""Recognises each file's model and layout by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, islice
from json import JSONDecodeError
from pathlib import Path
from typing import Any, NamedTuple

from translate import mapping
from translate.archive import table
from translate.archive.lines import Damage
from translate.archive.listing import SourceFiles
from translate.archive.parquet import HUB, MAGIC, columns_of, is_hub
from translate.archive.sources import Trusted
from translate.archive.stored import ReadError, SourceFile, keep_ends
from translate.errors import SourceError, UsageError
from translate.mapping.spec import Layout, Mapping
from translate.reader.literals import Pairs
from translate.reader.looks import (
    FOREIGN,
    LINES,
    LINES_MAX,
    Glimpsed,
    Likeness,
    Unseen,
    by_room,
    form_of,
    head,
    lines_in,
    packed,
    the_only,
    without_schemas,
)  # fmt: skip
from translate.reader.opening import values_in

KINDS_MAX = 1_000  # of records, by their members, of which is kept what they may be like

UNKNOWN = "unknown"  # records, but none that shows a layout
LISTED = "listed"  # records of a layout that has one a line, but in an array
EMPTY = "empty"
NOTHING_SHOWN = (UNKNOWN, LISTED, FOREIGN)
OF_ONES_OWN = (
    "another format is described in a sheet of your own (docs/mappings.md), and read with --mappings DIR"
)
NOT_RECOGNISED = "is not of a layout that can be read; the others are {known}"


class Origin(NamedTuple):
    """The files of one layout, sorted by path."""

    mapping: Mapping
    layout: Layout
    files: Sequence[SourceFile]


@dataclass
class Recognised:
    """Which files are read as what, in the order of their layouts, and which are refused and why."""

    sources: list[Origin]
    refused: dict[str, Damage] = field(default_factory=dict)
    schemas: tuple[SourceFile, ...] = ()  # those that lie beside the tables that they describe
    unseen: Unseen | None = None
    trusted: Trusted | None = None

    @property
    def files(self) -> Sequence[SourceFile]:
        """Give all files, layout by layout."""
        first, *others = self.sources
        return SourceFiles(chain(*(source.files for source in self.sources))) if others else first.files

    @property
    def address(self) -> str:
        """Name all layouts."""
        return ", ".join(source.layout.address for source in self.sources)

    def refused_in(self, files: Iterable[SourceFile]) -> dict[str, Damage]:
        """Give the refused ones among some files."""
        given = list(files)
        if self.unseen is not None:
            self.unseen.look_at(given, self.refused)
        return {file.shown: self.refused[file.shown] for file in given if file.shown in self.refused}


Candidates = dict[str, tuple[Mapping, Layout]]


def recognise(files: Iterable[SourceFile], address: str | None, mappings: Path | None = None) -> Recognised:
    """Find the layouts of the files: the one named, one of the model named, or those that their content shows.

    Raise UsageError if the named one cannot be read, SourceError if no file shows one, one several, or all several models.
    """
    described = without_schemas(given := files if isinstance(files, SourceFiles) else SourceFiles(files))
    recognised = _recognised(described, address, mappings)
    if len(described) < len(given):
        names = {file.shown for file in described}
        recognised.schemas = tuple(file for file in given if file.shown not in names)
    return recognised


def _recognised(files: SourceFiles, address: str | None, mappings: Path | None) -> Recognised:
    if address is not None and "/" in address:
        return _as_told(files, *_readable(address, mappings))
    candidates = _candidates(mappings)
    if address is not None:
        told = _readable(address, mappings)
        candidates = {
            name: candidate for name, candidate in candidates.items() if candidate[1].model == address
        }
    layout_of = _LayoutOf(candidates)
    early, late = by_room(files)
    seen = [*map(layout_of, early)]  # one by one: side by side they would wait for Python's lock
    found = sorted({name for name in seen if name in candidates})
    ordered = SourceFiles(chain(early, late)) if late else early
    if late and len(found) != 1:
        seen += map(layout_of, late)
        found, late = sorted({name for name in seen if name in candidates}), SourceFiles()
    if not found:
        _demand_a_readable(files)
        if address is not None:
            return _as_told(files, *told)
        raise SourceError(_none_found(ordered, seen))
    if len({form_of(candidates[name][1]) for name in found}) > 1:
        shown = ", ".join(f"{name} such as {ordered[seen.index(name)].shown}" for name in found)
        raise SourceError(f"the files are of several layouts ({shown}); name those of one at a time")
    seen += [UNKNOWN] * len(late)
    recognised = _sorted_out(ordered, seen, [candidates[name] for name in found])
    if late:
        message = NOT_RECOGNISED.format(known=found[0])
        recognised.unseen = Unseen(layout_of, found[0], candidates, message)
    return recognised


def _none_found(files: Sequence[SourceFile], seen: list[str]) -> str:
    if set(seen) == {EMPTY}:
        whose = f"the {len(seen)} files hold" if len(seen) > 1 else f"{files[0].shown} holds"
        return f"{whose} nothing that would show a layout; name what has records, or say --from"
    whose = (
        f"none of the {len(seen)} files is"
        if len(seen) > 1
        else f"{files[0].shown if files else 'the source'} is not"
    )
    message = f"{whose} of a layout that can be read"
    listed = next((file.shown for file, name in zip(files, seen, strict=True) if name == LISTED), None)
    kind = packed(files[0]) if files else None
    if kind is not None:
        return f"{message}; {files[0].shown} {kind}"
    if listed is None:
        known = f"{message} (translate models lists them); if you know better, say --from"
        return f"{known}; {OF_ONES_OWN}" if UNKNOWN in seen else known
    return f"{message}; {listed} has its records in an array: put each onto a line of its own first, as jq -c '.[]' does"


def _candidates(mappings: Path | None) -> Candidates:
    candidates = {
        layout.address: (model, layout)
        for model in (mapping.load(name, mappings) for name in mapping.models(mappings))
        for layout in model.layouts.values()
        if layout.read
    }
    return {**candidates, HUB.layouts["events"].address: (HUB, HUB.layouts["events"])}


def _readable(address: str, mappings: Path | None) -> tuple[Mapping, Layout]:
    if address.partition("/")[0] == HUB.model:
        return HUB, HUB.layouts["events"]
    model, layout = mapping.find_layout(address, mappings)
    if not layout.read:
        known = ", ".join(name for name, other in model.layouts.items() if other.read) or "none yet"
        raise UsageError(f"{layout.address} cannot be read (readable layouts of {model.model}: {known})")
    return model, layout


def _as_told(files: Sequence[SourceFile], model: Mapping, layout: Layout) -> Recognised:
    _demand_a_readable(files)
    return Recognised([Origin(model, layout, files)])


def _sorted_out(files: SourceFiles, seen: list[str], found: list[tuple[Mapping, Layout]]) -> Recognised:
    """Give each file to its layout; what fits any, and what is none, goes to the first."""
    first = found[0][1].address
    others = NOT_RECOGNISED.format(known=", ".join(layout.address for _, layout in found))
    foreign = (file for file, name in zip(files, seen, strict=True) if name == FOREIGN)
    refused = {file.shown: Damage("not_recognised", packed(file) or others, "") for file in foreign}
    of_layout = {layout.address: SourceFiles() for _, layout in found}
    for file, name in zip(files, seen, strict=True):
        of_layout.get(name, of_layout[first]).append(file)
    if len({file.is_remote for file in files}) > 1:  # then those that were looked at early came first
        of_layout = {name: own.in_order() for name, own in of_layout.items()}
    return Recognised([Origin(model, layout, of_layout[layout.address]) for model, layout in found], refused)


def _demand_a_readable(files: Sequence[SourceFile]) -> None:
    """Raise SourceError, with the reason for the last file, if not one of them can be read."""
    reason = ""
    for file in files:
        try:
            head(file)
        except ReadError as error:
            reason = f"{file.location}: cannot be read: {error}; grant the right to read it, or name another source"
        else:
            return
    which = f"none of the {len(files)} files can be read, for example " if len(files) > 1 else ""
    raise SourceError(f"{which}{reason}")


# -- one file -------------------------------------------------------------------------------------------------------


class _LayoutOf:
    """Names the layout of a file, one of the candidates; to other processes it goes without what it made for that."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates

    def __reduce__(self) -> tuple[type[_LayoutOf], tuple[Candidates]]:
        return _LayoutOf, (self._candidates,)

    @cached_property
    def _looks(self) -> list[Likeness]:
        layouts = (layout for _, layout in self._candidates.values())
        return [Likeness(layout) for layout in layouts if layout.records == "json-lines"]

    @cached_property
    def _looks_at(self) -> Callable[[frozenset[str]], list[Likeness]]:
        """Give what an object of some members may be like; most files begin with one of the same members."""
        return lru_cache(KINDS_MAX)(lambda names: [look for look in self._looks if look.may_fit(names)])

    def __call__(self, file: SourceFile) -> str:
        """Name the layout of the first record that shows it; an empty or unreadable file fits any.

        Few lines show it only where none of them is a piece of what reaches over more, and where one layout alone fits.
        """
        try:
            found = self._shown_in(file, LINES, of_one_line=True)
        except (SourceError, JSONDecodeError, RecursionError):
            found = UNKNOWN
        return self._shown_in(file, LINES_MAX) if found in NOTHING_SHOWN else found

    def _shown_in(self, file: SourceFile, most: int, *, of_one_line: bool = False) -> str:
        try:
            content = head(file, most)
        except ReadError:
            keep_ends(file, b"", b"")
            return EMPTY
        if content.startswith(MAGIC):
            return self._of_columns(file, columns_of(file))
        lines = lines_in(content)
        first = next(lines, None)
        if first is None:
            return EMPTY
        first = first.lstrip("\ufeff \t")
        as_table = self._of_columns(file, table.names(first)) if table.is_header(first) else FOREIGN
        if as_table != FOREIGN:
            return as_table
        values = values_in(islice(chain([first], lines), most), of_one_line=of_one_line)
        return self._of_records(file, content, first, values)

    def _of_columns(self, file: SourceFile, names: list[str]) -> str:
        if is_hub(names):
            return HUB.layouts["events"].address
        fitting = [
            address
            for address, (_, layout) in self._candidates.items()
            if layout.records == "csv"
            and {entry.place for entry in layout.fields if entry.required} <= set(names)
        ]
        return the_only(file, fitting) if fitting else FOREIGN

    def _of_records(self, file: SourceFile, content: bytes, first: str, values: Iterator[Any]) -> str:
        records = Glimpsed(values)
        fitting = next(filter(None, map(self._fitting, records)), [])
        marked = [look.address for look in fitting if look.is_marked(content, records)]
        plain = [look.address for look in fitting if not look.is_marked_only]
        if marked or plain:
            return the_only(file, marked or plain)
        if fitting:
            return fitting[0].address if len(fitting) == 1 else UNKNOWN
        listed = [
            element
            for record in records
            if isinstance(record, list) and not isinstance(record, Pairs)
            for element in record
        ]
        of_one = [look for look in self._looks if not look.holds_requests]
        if any(look.fits(element) for look in of_one for element in listed):
            return LISTED
        return UNKNOWN if first.startswith(("{", "[")) else FOREIGN

    def _fitting(self, record: Any) -> list[Likeness]:
        is_object = isinstance(record, Pairs)
        looks = self._looks_at(frozenset(record.names())) if is_object else self._looks
        return [look for look in looks if look.fits(record)]
