"""Recipe files to recipes, or every complaint at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from translate import events
from translate.errors import MappingError, UsageError, suggest
from translate.mapping.personal import KINDS, Spot
from translate.mapping.sheet import Sheet, digest_of, read_toml
from translate.mapping.spec import Layout
from translate.recipe import expressions, heading, keys, privacy, sample
from translate.recipe.cuts import KEY_CHARACTERS_MIN
from translate.recipe.expressions import Expression, Unfit, key_of
from translate.recipe.privacy import Treatment
from translate.recipe.rules import Recipe
from translate.recipe.spec import REJECT, Cut, Rule, Test

CUTS = {"values": 1, "keys": KEY_CHARACTERS_MIN, "count": 1}  # the least that each may be
FIXED = ("file", "line")  # where an event comes from is no rule's to change
NEEDED = ("name", "time", "event_id", *FIXED)
Find = Callable[[str, Path], Path]


def read(path: Path, find: Find, mappings: Path | None = None, seen: tuple[Path, ...] = ()) -> Recipe:
    """Read a recipe and what it extends; raise MappingError with every complaint."""
    table, digest = read_toml(path, path.name)
    sheet = Sheet(path.name)
    sheet.known_keys(table, "", keys.RECIPE)
    base = _base(sheet, table, path, find, mappings, (*seen, path.resolve()))
    layouts = heading.target(sheet, table, base, mappings)
    columns = heading.columns(sheet, table, base, layouts)
    needs = heading.needs(sheet, table, base)
    parser = _Parser(sheet, base, layouts, {column.name for column in columns})
    rules = tuple(parser.rule(f"rule[{number}]", rule) for number, rule in _tables(sheet, table, "rule"))
    tests = tuple(parser.test(f"test[{number}]", test) for number, test in _tables(sheet, table, "test"))
    about = sheet.get(table, "", "about", str, "")
    personal = {
        treatment.what: treatment for treatment in (*(base.personal if base else ()), *parser.personal(table))
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
        sheet.complain("extends", str(error))
    except MappingError as error:
        sheet.complaints += error.complaints
    return None


def _tables(sheet: Sheet, table: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    tables = []
    for number, inner in enumerate(sheet.get(table, "", key, list, []), start=1):
        if isinstance(inner, dict):
            tables.append((number, inner))
        else:
            sheet.complain(f"{key}[{number}]", f"should be a table, but is {inner!r}")
    return tables


class _Parser:
    """Walks one recipe's rules and tests."""

    def __init__(self, sheet: Sheet, base: Recipe | None, layouts: tuple[Layout, ...], own: set[str]) -> None:
        self.sheet = sheet
        self.own = own
        self.layouts = {layout.address: layout for layout in layouts}
        self.exploded = any(rule.explode for rule in base.rules) if base else False

    def personal(self, table: dict[str, Any]) -> Iterator[Treatment]:
        """Read what is done with personal data, before any rule."""
        for what, action in flat(self.sheet.get(table, "", "personal", dict, {})).items():
            path = at("personal", what)
            if not self.sheet.one_of(
                action, path, f"way to treat personal data ({', '.join(privacy.ACTIONS)}):", privacy.ACTIONS
            ) or what in {*KINDS} - {*events.SCHEMA}:
                spot = None
            elif what.partition(".")[0] in events.MAPS and "." in what:
                home, _, key = what.partition(".")
                spot = Spot(home, key)
            elif self.sheet.one_of(
                what, path, "kind of personal data, hub column or key of one", [*KINDS, *events.SCHEMA]
            ):
                spot = Spot(what)
            else:
                continue
            wrong = None if spot is None else _untreatable(spot, action)
            if wrong is not None:
                self.sheet.complain(path, wrong)
            yield Treatment(what, action, spot)

    def rule(self, path: str, table: dict[str, Any]) -> Rule:
        sheet = self.sheet
        sheet.known_keys(table, path, keys.RULE)
        self.actions(path, table)
        when = self.when(path, table)
        sets = self.sets(f"{path}.set", sheet.get(table, path, "set", dict, {}))
        names = self.names(f"{path}.names", sheet.get(table, path, "names", dict, {}))
        renames = self.renames(f"{path}.rename", sheet.get(table, path, "rename", dict, {}))
        removes = self.removes(f"{path}.remove", sheet.get(table, path, "remove", list, []))
        self.doubled(path, sets, names, renames, removes)
        explode = sheet.get(table, path, "explode", str)
        if explode is not None:
            sheet.one_of(explode, f"{path}.explode", "list to explode", ["items"])
            self.exploded = True
        return Rule(
            f"{sheet.file}: {path}",
            sheet.get(table, path, "about", str, ""),
            when,
            sets,
            names,
            renames,
            tuple(removes),
            self.reason(path, table, "drop"),
            self.reason(path, table, "keep"),
            explode is not None,
            self.cut(f"{path}.cut", sheet.get(table, path, "cut", dict)),
        )

    def actions(self, path: str, table: dict[str, Any]) -> None:
        """Complain of a rule that does nothing, or that does beside others what stands alone."""
        given = [key for key in keys.ACTIONS if key in table]
        if not given:
            self.sheet.complain(path, f"does nothing; give it one of {', '.join(keys.ACTIONS)}")
        for key in keys.ALONE:
            if key in given and len(given) > 1:
                self.sheet.complain(f"{path}.{key}", "stands alone; put the rest into a rule of its own")
        if "keep" in given and "when" not in table:
            self.sheet.complain(path, "keep needs a when, which says what to keep")

    def cut(self, path: str, table: dict[str, Any] | None) -> Cut | None:
        if table is None:
            return None
        self.sheet.known_keys(table, path, keys.CUT)
        if not table:
            self.sheet.complain(path, f"cuts nothing; give it one of {', '.join(CUTS)}")
        numbers = {key: self.sheet.get(table, path, key, int) for key in CUTS}
        for key, number in numbers.items():
            if number is not None and number < CUTS[key]:
                room = ", to have room for what tells one key from another" if key == "keys" else ""
                self.sheet.complain(f"{path}.{key}", f"should be at least {CUTS[key]}{room}, but is {number}")
        return Cut(**numbers)

    def reason(self, path: str, table: dict[str, Any], key: str) -> str | None:
        reason: str | None = self.sheet.get(table, path, key, str)
        if reason is not None and not reason.strip():
            self.sheet.complain(f"{path}.{key}", "should say the reason, which the report shows")
        return reason

    def when(self, path: str, table: dict[str, Any]) -> Expression | None:
        sql = self.sheet.get(table, path, "when", str)
        return None if sql is None else self.expression(f"{path}.when", sql, pl.Boolean(), "when")

    def expression(self, path: str, sql: str, wanted: pl.DataType, target: str) -> Expression | None:
        try:
            found = expressions.read(sql, exploded=self.exploded)
        except Unfit as unfit:
            for message in unfit.messages:
                self.sheet.complain(path, message)
            return None
        misfit = expressions.misfit(found, wanted, target)
        if misfit:
            self.sheet.complain(path, misfit)
            return None
        return found

    def sets(self, path: str, table: dict[str, Any]) -> dict[str, Expression]:
        sets = {}
        for target, sql in flat(table).items():
            where = at(path, target)
            dtype = self.target(where, target)
            if not isinstance(sql, str):
                self.sheet.complain(where, f"should be an SQL expression in quotes, but is {sql!r}")
            elif dtype is not None:
                found = self.expression(where, sql, dtype, target)
                if found:
                    sets[target] = found
        return sets

    def target(self, path: str, target: str) -> pl.DataType | None:
        """Give the type of a place that a rule may set."""
        keyed = key_of(target)
        if keyed and keyed[0] != "other":
            return events.NUMBER if keyed[0] == "metrics" else events.TEXT
        if keyed or target in events.MAPS:
            self.sheet.complain(path, 'cannot be set; single keys can: "attributes.x", "metrics.x"')
        elif target in FIXED:
            self.sheet.complain(path, "tells where the event comes from and cannot be set")
        elif self.column(path, target):
            return events.SCHEMA[target]
        return None

    def column(self, path: str, name: str) -> bool:
        return self.sheet.one_of(name, path, "hub column", events.SCHEMA)

    def names(self, path: str, table: dict[str, Any]) -> dict[str, str]:
        for old, new in table.items():
            if not isinstance(new, str) or not new:
                self.sheet.complain(at(path, old), f"should be the new name, in quotes, but is {new!r}")
        return {old: new for old, new in table.items() if isinstance(new, str)}

    def renames(self, path: str, table: dict[str, Any]) -> dict[str, str]:
        renames: dict[str, str] = {}
        for old, new in flat(table).items():
            where = at(path, old)
            from_key, to_key = key_of(old), key_of(new) if isinstance(new, str) else None
            if not from_key or not to_key:
                example = '"attributes.old" = "attributes.new"'
                self.sheet.complain(
                    where, f"renames a key inside of attributes, metrics or other, like {example}"
                )
            elif from_key[0] != to_key[0]:
                self.sheet.complain(
                    where, f"cannot move a key to {to_key[0]}; set it there, and remove this one"
                )
            elif new in renames.values():
                self.sheet.complain(where, f'"{new}" is given to another key too')
            else:
                renames[old] = new
        return renames

    def removes(self, path: str, names: list[Any]) -> list[str]:
        removes = []
        for position, name in enumerate(names, start=1):
            where = f"{path}[{position}]"
            if not isinstance(name, str):
                self.sheet.complain(where, f"should be a column in quotes, but is {name!r}")
            elif name in NEEDED:
                self.sheet.complain(where, f"every event needs its {name}; to lose the event, write drop")
            elif key_of(name) or self.column(where, name):
                removes.append(name)
        return removes

    def doubled(
        self,
        path: str,
        sets: dict[str, Expression],
        names: dict[str, str],
        renames: dict[str, str],
        removes: list[str],
    ) -> None:
        """Complain of places about which a rule says two things."""
        given = [
            *sets,
            *(["name"] if names else []),
            *renames,
            *(new for new in renames.values() if new not in renames),
            *removes,
        ]
        places = [*given, *(keyed[0] for place in given if (keyed := key_of(place)) and keyed[0] in removes)]
        for place in sorted({place for place in places if places.count(place) > 1}):
            self.sheet.complain(path, f"changes {place} twice; put that into two rules")

    def test(self, path: str, table: dict[str, Any]) -> Test:
        sheet = self.sheet
        sheet.known_keys(table, path, keys.TEST)
        name = sheet.get(table, path, "name", str)
        to = sheet.get(table, path, "to", str, next(iter(self.layouts), ""))
        if self.layouts and "to" in table:
            sheet.one_of(to, f"{path}.to", "layout of this recipe", self.layouts)
        event = sample.read(sheet, f"{path}.event", sheet.need(table, path, "event", dict, {}))
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


def flat(table: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Join nested tables to dotted names, for `set.session.id`."""
    flattened: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{head}{key}"
        if isinstance(value, dict) and value:
            flattened |= flat(value, f"{name}.")
        else:
            flattened[name] = value
    return flattened


def at(path: str, key: str) -> str:
    """Write a path one segment longer."""
    return f'{path}."{key}"' if "." in key or " " in key else f"{path}.{key}"
