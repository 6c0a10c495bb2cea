"""Recipes: what one app's events mean to one target, as files with their own tests.

A file is read here (its tests by `trial`) into what it may say (`spec`, which reads its rules); each expression is
proven before any row (`proof`, `kinds`, `mistakes`; `dialect` has the words, `expressions` what they see). Upon events come
personal data (`privacy`), the rules in order (`rules`, each by `steps` and `reshaping`) and what is taken at all (`selection`).
What they did is counted, and what they missed looked out for (`tallies`); both are told (`slips`, `proposal`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate import events, mapping
from translate.errors import Complaint, MappingError, UsageError, in_python, suggest
from translate.mapping.columns import Column, read_columns
from translate.mapping.parse import parse as parse_mapping
from translate.mapping.personal import KINDS, Spot
from translate.mapping.settings import KEYS, TEXTS, Settings
from translate.mapping.sheet import RECIPE, Sheet, digest_of, read_toml, refuse_other
from translate.mapping.spec import Layout
from translate.recipe import privacy, spec, trial
from translate.recipe.privacy import Treatment
from translate.recipe.rules import Recipe
from translate.recipe.spec import NEEDED, REJECT, RuleParser, Test, at, flat

Find = Callable[[str, Path], Path]


def read(path: Path, find: Find, mappings: Path | None = None, seen: tuple[Path, ...] = ()) -> Recipe:
    """Read a recipe and what it extends; raise MappingError with every complaint."""
    table, digest = read_toml(path, path.name)
    refuse_other(table, path, RECIPE)
    if table and {key.partition(".")[0] for key in table} <= KEYS.keys() - spec.RECIPE_KEYS:
        raise MappingError([Complaint(path.name, "", "holds settings, and is no recipe; say --settings")])
    sheet = Sheet(path)
    sheet.known_keys(table, "", spec.RECIPE_KEYS)
    base = _base(sheet, table, path, find, mappings, (*seen, path.resolve()))
    layouts = _target(sheet, table, base, mappings)
    columns = _columns(sheet, table, base, layouts)
    needs = _needs(sheet, table, base)
    parser = RuleParser(sheet, exploded=any(rule.explode for rule in base.rules) if base else False)
    tester = _TestParser(sheet, layouts, {column.name for column in columns})
    rules = tuple(parser.rule(f"rule[{number}]", rule) for number, rule in _tables(sheet, table, "rule"))
    tests = tuple(tester.test(f"test[{number}]", test) for number, test in _tables(sheet, table, "test"))
    about = sheet.get(table, "", "about", str, "")
    personal = {
        treatment.what: treatment
        for treatment in (*(base.personal if base else ()), *_personal(sheet, table))
    }
    sheet.finish()
    inherited = base.rules if base else ()
    joined = digest_of(f"{base.digest} {digest}".encode()) if base else digest
    addresses = tuple(layout.address for layout in layouts)
    return Recipe(
        path.stem, path.name, addresses[0], addresses, (*inherited, *rules), tests, joined, about, tuple(personal.values()), columns, needs,
        inherited=len(inherited), path=path,
    )  # fmt: skip


def _base(
    sheet: Sheet, table: dict[str, Any], path: Path, find: Find, mappings: Path | None, seen: tuple[Path, ...]
) -> Recipe | None:
    name = sheet.get(table, "", "extends", str)
    if name is None:
        return None
    try:
        base = find(name, path.parent)
        if base.resolve() in seen:
            sheet.complain("extends", f'"{name}" extends this recipe in turn')
            return None
        return read(base, find, mappings, seen)
    except UsageError as error:
        sheet.complain("extends", error.typed)
    except MappingError as error:
        sheet.complaints += error.complaints
    return None


def _target(
    sheet: Sheet, table: dict[str, Any], base: Recipe | None, mappings: Path | None
) -> tuple[Layout, ...]:
    """Give the layouts that a recipe leads to, the one for its tests first: a model alone means all that can be written."""
    to = sheet.get(table, "", "to", str)
    if to is None:
        if "to" not in table and "extends" not in table:
            sheet.complain("to", "is missing")
        return tuple(mapping.find_layout(address, mappings)[1] for address in base.layouts) if base else ()
    try:
        model, found = mapping.find_layout(to, mappings)
    except UsageError as error:
        sheet.complain("to", error.typed)
        return ()
    every = sorted(model.layouts.values(), key=lambda layout: not layout.default)
    named = [found] if to.partition("/")[2] else every
    layouts = tuple(layout for layout in named if layout.write)
    if not layouts:
        sheet.complain("to", f"{to} can only be read")
    if base and not {layout.address for layout in layouts} <= set(base.layouts):
        told = f"{base.file} is for {' and '.join(base.layouts)}"
        sheet.complain("to", f"{told}, and rules for one target mean nothing to another")
    return layouts


def _columns(
    sheet: Sheet, table: dict[str, Any], base: Recipe | None, layouts: tuple[Layout, ...]
) -> tuple[Column, ...]:
    """Give the columns of a dataset's own, those of the base too, each as it is said last."""
    said = read_columns(table.get("columns", {}), sheet.complain)
    if said and layouts and not any(layout.takes_columns for layout in layouts):
        sheet.complain("columns", f"{layouts[0].model} has no table that takes columns of a dataset's own")
    for column in said:
        if any(column.name == entry.place for layout in layouts for entry in layout.fields):
            sheet.complain(f"columns.{column.name}", "is a column that the target has already")
    return tuple({column.name: column for column in (*(base.columns if base else ()), *said)}.values())


def _needs(sheet: Sheet, table: dict[str, Any], base: Recipe | None) -> tuple[str, ...]:
    """Give the settings that a recipe cannot do without, those of the base first."""
    said = sheet.choices(table, "", "needs", "setting of text", TEXTS)
    return tuple(dict.fromkeys((*(base.needs if base else ()), *said)))


def _tables(sheet: Sheet, table: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    tables = []
    for number, inner in enumerate(sheet.get(table, "", key, list, []), start=1):
        if isinstance(inner, dict):
            tables.append((number, inner))
        else:
            sheet.complain(f"{key}[{number}]", f"should be a table, but is {inner!r}")
    return tables


def _personal(sheet: Sheet, table: dict[str, Any]) -> Iterator[Treatment]:
    """Read what is done with personal data, before any rule."""
    for what, action in flat(sheet.get(table, "", "personal", dict, {})).items():
        path = at("personal", what)
        if not sheet.one_of(
            action, path, f"way to treat personal data ({', '.join(privacy.ACTIONS)}):", privacy.ACTIONS
        ) or what in {*KINDS} - {*events.SCHEMA}:
            spot = None
        elif what.partition(".")[0] in events.MAPS and "." in what:
            home, _, key = what.partition(".")
            spot = Spot(home, key)
        elif what not in {*KINDS, *events.SCHEMA} and not suggest(what, [*KINDS, *events.SCHEMA]):
            shown = f'no kind of personal data, and no hub column "{what}"; a key of your own is "attributes.{what}"'
            sheet.complain(path, shown)
            continue
        elif sheet.one_of(
            what, path, "kind of personal data, hub column or key of one", [*KINDS, *events.SCHEMA]
        ):
            spot = Spot(what)
        else:
            continue
        wrong = None if spot is None else _untreatable(spot, action)
        if wrong is not None:
            sheet.complain(path, wrong)
        yield Treatment(what, action, spot)


def _untreatable(spot: Spot, action: str) -> str | None:
    """Say why a column or key cannot be hashed or removed."""
    if spot.column in NEEDED and action != "keep":
        return f"every event needs its {spot.column}; to lose the event, write a rule that drops it"
    dtype = events.SCHEMA[spot.column]
    if action == "hash" and (
        dtype not in (events.TEXT, events.MAP)
        or spot.column in (*events.LISTS, "metrics", "user_property_times")
    ):
        return f"{spot.column} holds no text that a hash could stand for; say remove"
    return None


class _TestParser:
    """Walks the tests of one recipe, which look at its `layouts` and name columns of its `own`."""

    def __init__(self, sheet: Sheet, layouts: tuple[Layout, ...], own: set[str]) -> None:
        self.sheet = sheet
        self.own = own
        self.layouts = {layout.address: layout for layout in layouts}

    def test(self, path: str, table: dict[str, Any]) -> Test:
        sheet = self.sheet
        sheet.known_keys(table, path, spec.TEST_KEYS)
        name = sheet.get(table, path, "name", str)
        to = sheet.get(table, path, "to", str, next(iter(self.layouts), ""))
        if self.layouts and "to" in table:
            sheet.one_of(to, f"{path}.to", "layout of this recipe", self.layouts)
        event = trial.read(sheet, f"{path}.event", sheet.need(table, path, "event", dict, {}))
        expect = []
        for number, row in enumerate(sheet.need(table, path, "expect", list, []), start=1):
            where = f"{path}.expect[{number}]"
            if not isinstance(row, dict):
                sheet.complain(where, f"should be a table, but is {row!r}")
                continue
            self.expected_fields(where, row, self.layouts.get(to))
            expect.append(row)
        return Test(f'{path} "{name}"' if name else path, to, event, tuple(expect))

    def expected_fields(self, path: str, row: dict[str, Any], layout: Layout | None) -> None:
        if layout is None or REJECT in row:
            return
        if not row:
            self.sheet.complain(path, "names no field to check")
        known = {entry.place for entry in layout.all_fields} | (self.own if layout.takes_columns else set())
        heads = {entry.path[0] for entry in layout.all_fields}
        for place in row:
            if place not in known and place.partition(".")[0] not in heads:
                near = suggest(place, sorted(heads))
                self.sheet.complain(at(path, place), f"no field of {layout.address} has that name{near}")


@dataclass(frozen=True, repr=False)
class Checked:
    """What was found in a mapping or a recipe, and how many tests ran."""

    file: str
    complaints: list[Complaint]
    tests: int = 0

    @property
    def verdict(self) -> str:
        """Give the words that say whether all is well."""
        wrong = f"{len(self.complaints)} wrong" if self.complaints else "ok"
        tests = f", {self.tests} test{'s' if self.tests != 1 else ''}" if self.tests else ""
        return f"{wrong}{tests}"

    def __repr__(self) -> str:
        return f"<Checked {self.file}: {self.verdict}>"

    def __str__(self) -> str:
        return in_python("\n".join([*map(str, self.complaints), f"{self.file}: {self.verdict}"]))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001
        """Show the complaints in a notebook."""
        printer.text("Checked(...)" if cycle else str(self))


def names(mappings: Path | None = None) -> list[str]:
    """Name the shipped recipes, in alphabetical order."""
    return sorted(_shipped(mappings))


def load(recipe: str | os.PathLike[str], mappings: Path | None = None) -> Recipe:
    """Load a shipped recipe by its name, or one by its path; raise UsageError or MappingError."""
    return read(
        _find(os.fspath(recipe), Path(), mappings), lambda name, near: _find(name, near, mappings), mappings
    )


def check(path: str | os.PathLike[str], mappings: Path | None = None) -> Checked:
    """Check a mapping or a recipe, and run the tests inside it."""
    file = Path(path)
    try:
        table, _ = read_toml(file, file.name)
        if "layout" in table:
            parse_mapping(file)
            return Checked(file.name, [])
        recipe = load(file, mappings)
        return Checked(file.name, trial.failures(recipe, mappings), len(recipe.tests))
    except MappingError as error:
        return Checked(file.name, error.complaints)


def demand(recipe: Recipe, settings: Settings) -> None:
    """Ask by name for the settings that a recipe cannot do without; raise UsageError if one is missing."""
    missing = [name for name in recipe.needs if getattr(settings, name) is None]
    if missing:
        wanted = "; ".join(f"--set {name}=... ({KEYS[name]})" for name in missing)
        raise UsageError(f"{recipe.name}: nothing in the source says what this recipe needs; say {wanted}")


def _shipped(mappings: Path | None) -> dict[str, Path]:
    return mapping.files(mappings, "recipes")


def _find(name: str, near: Path, mappings: Path | None) -> Path:
    """Find a recipe: a shipped one of that name, else a file, its path relative to a folder."""
    shipped = _shipped(mappings)
    if name in shipped:
        return shipped[name]
    if (near / name).is_file():
        return near / name
    if name.endswith(".toml"):
        raise UsageError(f"{near / name}: there is no such file; name one, or a shipped recipe")
    known = ", ".join(sorted(shipped))
    raise UsageError(f'no recipe "{name}"{suggest(name, shipped)} (recipes: {known}; or the path of a file)')
