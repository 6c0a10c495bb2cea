"""Which run filled a target: what its report says of recipe, settings, selection and passes."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from translate import mapping
from translate import recipe as recipes
from translate.archive.sources import REPORT
from translate.conversion.job import HUB_MODEL
from translate.conversion.output import STATE
from translate.errors import MappingError, UsageError
from translate.mapping.settings import Settings, parse_time
from translate.passes import DID, Asked
from translate.recipe.erasure import Erasure, listed_in
from translate.recipe.proof import condition
from translate.recipe.rules import ALL_EVENTS, Recipe, Selection


@dataclass(frozen=True)
class FormerRun:
    """What a run was asked to do, as far as its report tells; without a report, what the caller says."""

    report: dict[str, Any] | None = None
    recipe: Recipe | None = None
    settings: Settings = field(default_factory=Settings)
    selection: Selection = ALL_EVENTS
    asked: Asked = field(default_factory=Asked)

    @property
    def to(self) -> str | None:
        """Name the layout that was written."""
        return self.report["to"] if self.report else None

    @property
    def of(self) -> str | None:
        """Name the layout that was read, where it is one.

        Where the run refused files that are of no layout it looked at the content: then only the model is named.
        """
        if not self.report or not self.report["from"] or "," in self.report["from"]:
            return None
        said = str(self.report["from"])
        return said.partition("/")[0] if "not_recognised" in self.report.get("rejects", {}) else said


def find_run(
    target: str | os.PathLike[str] | None, report: str | os.PathLike[str] | None, recipe: str | os.PathLike[str] | None,
    settings: Settings | None, mappings: Path | None = None, erase: str | os.PathLike[str] | None = None,
) -> FormerRun:  # fmt: skip
    """Find the report that belongs to a target; raise UsageError for one that is none, or a recipe that was not the run's."""
    path = Path(report) if report is not None else _beside(target)
    if path is None:
        chosen = recipes.load(recipe, mappings) if recipe is not None else None
        return FormerRun(None, chosen, settings or Settings())
    told = _read(path)
    return FormerRun(
        told, _recipe(told, path, recipe, mappings), settings or _settings(told["settings"]),
        _selection(told["selection"], path, erase), _asked(told, mappings),
    )  # fmt: skip


def _beside(target: str | os.PathLike[str] | None) -> Path | None:
    """Find the report in a folder that a conversion filled; raise UsageError for one that is not finished."""
    if target is None or not Path(target).is_dir():
        return None
    if (Path(target) / STATE).exists():
        told = "holds an unfinished run; repeat the call of convert, then compare"
        raise UsageError(f"{os.fspath(target)}: {told}")
    path = Path(target) / REPORT
    return path if path.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}; name DIR/report.json") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as a report of convert: {error}") from None
    needed = {"events", "mapping", "settings", "selection", "to"}
    if not isinstance(told, dict) or told.get("complete") is not True or not needed <= told.keys():
        raise UsageError(f"{path}: is no report of a finished convert; name DIR/report.json")
    return told


def _recipe(
    told: dict[str, Any], path: Path, given: str | os.PathLike[str] | None, mappings: Path | None
) -> Recipe | None:
    """Find the run's recipe: the one given, else the shipped one of that name; it has to be the same to the byte."""
    known = {mapping.load(model, mappings).file for model in mapping.models(mappings)} | {HUB_MODEL}
    wanted = {name: digest for name, digest in told["mapping"].items() if name not in known}
    if not wanted:
        if given is not None:
            raise UsageError(f"--recipe {os.fspath(given)}: {path} says that the run had no recipe")
        return None
    (name, digest), *_ = wanted.items()
    try:
        chosen = recipes.load(given if given is not None else Path(name).stem, mappings)
    except (UsageError, MappingError):
        if given is not None:
            raise
        raise UsageError(f"the run had the recipe {name}: say --recipe with its file") from None
    if chosen.digest != digest:
        wrong = f"is not the recipe {name} that the run had; say --recipe with that one"
        raise UsageError(f"{chosen.file}: {wrong}")
    return chosen


def _settings(told: dict[str, Any]) -> Settings:
    """Read back what `Settings.described` says."""
    since, until = (dt.datetime.fromisoformat(text) for text in told["time_window"])
    known = {entry.name for entry in fields(Settings)} - {"time_window", "day"}
    plain = {name: value for name, value in told.items() if name in known}
    day = dt.date.fromisoformat(told["day"]) if told.get("day") else None
    return Settings(**plain, day=day, time_window=(since, until))


def _selection(told: dict[str, Any], path: Path, erase: str | os.PathLike[str] | None) -> Selection:
    erased = _erased(told.get("erase"), path, erase)
    where, since, until = told.get("where"), told.get("since"), told.get("until")
    return Selection(
        condition(where, "--where") if where else None,
        parse_time(since) if since else None, parse_time(until) if until else None, told.get("limit"), erased,
    )  # fmt: skip


def _erased(told: dict[str, Any] | None, path: Path, erase: str | os.PathLike[str] | None) -> Erasure | None:
    """Read the list of those whom the run left out; a report holds its fingerprint only."""
    if told is None:
        if erase is not None:
            raise UsageError(f"--erase {os.fspath(erase)}: {path} says that the run left out nobody's events")
        return None
    if erase is None:
        raise UsageError("the run left out the events of people: say --erase with the list of their ids")
    listed = listed_in(erase)
    if listed.described() != told:
        wrong = "is not the list that the run had; say --erase with that one"
        raise UsageError(f"--erase {os.fspath(erase)}: {wrong}")
    return listed


def _asked(told: dict[str, Any], mappings: Path | None) -> Asked:
    """Say which passes did something: one that did nothing changes no figure."""
    found = {finding["code"] for finding in told["findings"]}
    model = str(told["to"]).partition("/")[0]
    known = {} if model == HUB_MODEL else mapping.load(model, mappings).additions
    added = {name: addition for name, addition in known.items() if found.intersection(DID.get(name, ()))}
    counts = told["events"]
    return Asked(bool(counts["duplicates"]), added, bool(counts["merged"]))
