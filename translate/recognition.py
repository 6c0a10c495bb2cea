"""Recognises a file's model and layout by its content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from translate import mapping
from translate.errors import SourceError, UsageError
from translate.files import head
from translate.mapping.spec import Layout, Mapping
from translate.reader import Damage
from translate.sources import ReadError, SourceFile


@dataclass
class Recognised:
    """Which files are read as what, and which are refused and why."""

    mapping: Mapping
    layout: Layout
    files: list[SourceFile]
    layouts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Damage] = field(default_factory=dict)

    def refused_in(self, files: Iterable[SourceFile]) -> dict[str, Damage]:
        """Give the refused ones among some files."""
        return {file.shown: self.refused[file.shown] for file in files if file.shown in self.refused}


def recognise(files: Iterable[SourceFile], address: str | None, mappings: Path | None = None) -> Recognised:
    """Find the layout of the files: the one named, or the one that their content shows.

    Raise UsageError if the named one cannot be read, SourceError if no file is of a known layout.
    """
    files = list(files)
    if address is not None:
        return _as_told(files, address, mappings)
    readable = {
        layout.address: (model, layout)
        for model in (mapping.load(name, mappings) for name in mapping.models(mappings))
        for layout in model.layouts.values()
        if layout.read and layout.records == "json-lines"
    }
    seen = {file.shown: _layout_of(file, {key: layout for key, (_, layout) in readable.items()}) for file in files}
    found = sorted({address for address in seen.values() if address in readable})
    if not found:
        _demand_a_readable(files)
        known = ", ".join(sorted(readable))
        raise SourceError(
            f"none of the {len(files)} files is of a layout that can be read ({known}); if you know better, say --from"
        )
    if len(found) > 1:
        raise SourceError(f"the files are of several layouts ({', '.join(found)}); convert them one by one with --from")
    model, layout = readable[found[0]]
    message = f"is not of a layout that can be read; the others are {found[0]}"
    refused = {shown: Damage("not_recognised", message, "") for shown, address in seen.items() if address == FOREIGN}
    layouts = {shown: found[0] for shown in seen if shown not in refused}
    return Recognised(model, layout, files, layouts, refused)


def _as_told(files: list[SourceFile], address: str, mappings: Path | None) -> Recognised:
    model, layout = mapping.find_layout(address, mappings)
    if not layout.read:
        known = ", ".join(name for name, other in model.layouts.items() if other.read) or "none yet"
        raise UsageError(f"{layout.address} cannot be read (readable layouts of {model.model}: {known})")
    _demand_a_readable(files)
    return Recognised(model, layout, files, {file.shown: layout.address for file in files})


def _demand_a_readable(files: list[SourceFile]) -> None:
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


UNKNOWN = "unknown"  # records, but none that shows a layout
FOREIGN = "foreign"  # no records
EMPTY = "empty"


def _layout_of(file: SourceFile, layouts: dict[str, Layout]) -> str:
    """Name the layout of the first record that shows it; an empty or unreadable file fits any."""
    try:
        lines = head(file).decode(errors="replace").split("\n")
    except ReadError:
        return EMPTY
    lines = [line for line in lines if line.strip("\ufeff \t\r")]
    if not lines:
        return EMPTY
    for line in lines:
        keys = _keys(line)
        fitting = [address for address, layout in layouts.items() if _required(layout) <= keys]
        if len(fitting) == 1:
            return fitting[0]
    return UNKNOWN if lines[0].lstrip("\ufeff \t").startswith("{") else FOREIGN


def _required(layout: Layout) -> set[str]:
    return {entry.path[0] for entry in layout.fields if entry.required}


def _keys(line: str) -> set[str]:
    """Give the keys of a line's record; of a broken one, whatever looks like a key."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return set(re.findall(r'"(\w+)"\s*:', line))
    return set(record) if isinstance(record, dict) else set()
