"""What README.md and the pages in docs/ say about the code is what the code says, and where they point to exists.

TRANSLATE_ACCEPT=1 python -m pytest tests/test_docs.py          writes the generated parts anew (without -n)
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tomllib
import types
from functools import partial

import nbformat
import pytest
import typer.main
from canonical import zoo
from mapping_reference import REFERENCE, documented, escaped, table
from pages import PAGES, README, ROOT, address, anchors, links, text_of
from typer.core import TyperGroup

import translate
from translate import cli, events, mapping, recipe
from translate.errors import EXIT_MEANINGS, MappingError
from translate.mapping import columns
from translate.mapping.delivery import _FOUND, PLACES, VERIFY_PLACES
from translate.mapping.parse import parse
from translate.mapping.protocols import PROTOCOLS
from translate.mapping.sending import CHECKS
from translate.mapping.settings import KEYS, Settings
from translate.mapping.sheet import Sheet
from translate.telling.journey import INDEX, Roundtrip, travel

README_LINES_MAX = 200
MARK = re.compile(r"^<!-- ([a-z -]+) -->$", re.MULTILINE)


def models_table():
    marks = {True: "yes", False: ""}
    rows = [
        (f"`{row['model']}/{row['layout']}`", marks[row["read"]], marks[row["write"]], escaped(row["about"]))
        for row in translate.models().iter_rows(named=True)
    ]
    return table(("model/layout", "read", "write", "what it is"), *rows)


def columns_table():
    rows = [
        (f"`{name}`", type_name(column.dtype), escaped(column.meaning))
        for name, column in events.COLUMNS.items()
    ]
    return table(("column", "type", "meaning"), *rows)


def type_name(dtype):
    names = {
        events.TEXT: "text",
        events.WHOLE: "whole",
        events.NUMBER: "number",
        events.TIME: "time",
        events.MAP: "map",
    }
    return names[dtype]


def names_table():
    return table(
        ("name", "meaning"), *((f"`{name}`", meaning) for name, meaning in events.WELL_KNOWN.items())
    )


def exit_codes_table():
    return table(("code", "meaning"), *((str(int(code)), meaning) for code, meaning in EXIT_MEANINGS.items()))


def settings_table():
    return table(
        ("setting", "meaning", "asked by"),
        *(
            (f"`{name}`", meaning, ", ".join(f"`{model}`" for model in askers(name)))
            for name, meaning in KEYS.items()
        ),
    )


def askers(setting):
    """Name the models whose sheets ask a setting: a field of theirs, a hazard, or the protocol that they are sent by."""
    for name in mapping.models():
        model = mapping.load(name)
        fields = {
            said
            for layout in model.layouts.values()
            for entry in layout.all_fields
            for said in (entry.setting, entry.asked)
        }
        hazards = (
            {hazard.setting for hazard in model.delivery.preflight.values()} if model.delivery else set()
        )
        named = model.delivery.protocol if model.delivery else None
        protocol = PROTOCOLS[named] if named else None
        sent = {*protocol.needs, *(["region"] if protocol.by_region else [])} if protocol else set()
        http = model.delivery.http if model.delivery else None
        if setting in fields | hazards | sent | {*(http.settings if http else ())}:
            yield name


def commands():
    """Give each command by its name, in the order of the help."""
    group = typer.main.get_command(cli.commands())
    assert isinstance(group, TyperGroup)
    return {name: group.commands[name] for name in group.list_commands(typer.Context(group))}


def commands_table():
    rows = [
        (f"[`translate {name}`](docs/commands/{name}.md)", escaped(command.get_short_help_str(1000)))
        for name, command in commands().items()
    ]
    return table(("command", "what it does"), *rows)


def help_of(name):
    """Write what a command says with --help."""
    group = typer.main.get_command(cli.commands())
    with group.make_context("translate", ["models"]) as parent:
        command = commands()[name]
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        return f"```text\n{command.get_help(context)}\n```"


def notebooks_table():
    """Each notebook with its heading and the first sentence that says what it does."""
    rows = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        heading = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
        rows.append((f"[{path.name}](../notebooks/{path.name})", escaped(heading.removeprefix("# "))))
    return table(("notebook", "what it is about"), *rows)


LISTED = 6  # of a longer list of names, the first are shown


def limits_table():
    """Each limit of each model once, with the layouts that share it."""
    layouts = {}
    for model in mapping.models():
        for layout in mapping.load(model).layouts.values():
            for scope, limit in limits_of(layout):
                layouts.setdefault(
                    (
                        model,
                        scope,
                        limit.name,
                        judges(limit),
                        shown(limit.value),
                        limit.hard,
                        limit.observed,
                        limit.source,
                    ),
                    [],
                ).append(layout.name)
    rows = [
        (
            f"`{model}`",
            ", ".join(names),
            scope,
            f"`{name}`",
            places,
            value,
            "hard" if hard else "advice",
            escaped(source) + (" (observed)" if observed else ""),
        )
        for (model, scope, name, places, value, hard, observed, source), names in layouts.items()
    ]
    return table(("model", "layouts", "of", "limit", "judges", "value", "", "source"), *rows)


def judges(limit):
    """Name the places that a limit judges; `.` is the row itself."""
    names = [f"`{place}`" for place in limit.places]
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def limits_of(layout):
    request = layout.request.limits if layout.request else {}
    for scope, limits in (
        ("row", {**layout.limits, **layout.checks}),
        ("request", request),
        ("archive", layout.archive_limits),
    ):
        yield from ((scope, limit) for limit in limits.values())


def shown(value):
    """Give a limit's value for people: numbers in groups, names in code, long lists cut."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        rest = f" and {len(value) - LISTED} more" if len(value) > LISTED else ""
        return ", ".join(shown(entry) for entry in value[:LISTED]) + rest
    return f"`{escaped(value)}`"


def deliveries():
    """Give each model that can be replayed, with what is known of its delivery."""
    told = ((model, mapping.load(model).delivery) for model in mapping.models())
    return [(model, delivery) for model, delivery in told if delivery]


def preflight_table():
    """What stops a replay, by model, and what is only said."""
    rows = [
        (
            f"`{model}`",
            f"`{hazard.name}`",
            ", ".join(hazard.layouts) or "all",
            "stops" if hazard.loses else "said",
            escaped(in_general(hazard)),
            escaped(hazard.instead),
        )
        for model, delivery in deliveries()
        for hazard in delivery.preflight.values()
    ]
    return table(("model", "name", "layouts", "", "what is found", "instead"), *rows)


def in_general(hazard):
    """Take a hazard's sentence without the figures of a run."""
    said = re.sub(
        r"\{(users|found)\} |all \{events\}|\{events\} (?=events)| \(\{(share|found)\}\)|, the (oldest|last) of \{\w+\}",
        "",
        hazard.says,
    )
    said = said.replace(", of events,", "").format(value=hazard.value or "...").replace("  ", " ")
    return f"{said}: the receiver {hazard.alters}" if hazard.alters else said


def paces_table():
    """How fast a replay goes where nobody says --rate, and why."""
    rows = []
    for model, delivery in deliveries():
        quota = delivery.quota
        kind = "quota" if quota.documented else "our choice"
        pace = f"{quota.default_requests_per_second:g}"
        rows.append(
            (
                f"`{model}`",
                pace,
                f"{quota.requests_per_second:,g} for {quota.scope}",
                kind,
                escaped(quota.source),
            )
        )
    return table(("model", "requests a second", "of", "", "source"), *rows)


def pairs_table():
    """What comes back of the zoo, from each model through each other one."""
    addresses = [mapping.load(model).default_layout().address for model in mapping.models()]
    rows = [
        [f"`{home.partition('/')[0]}`", *(returned(home, via) for via in addresses)] for home in addresses
    ]
    return table(("at home in", *(f"`{via.partition('/')[0]}`" for via in addresses)), *rows)


def returned(home, via):
    if home == via:
        return ""
    settings = Settings(tracking_id="tracker-1")
    at_home = travel(zoo(), *mapping.find_layout(home), settings, keeps_extra=True).arrived.drop(INDEX)
    roundtrip = Roundtrip(mapping.find_layout(home), mapping.find_layout(via), settings)
    roundtrip.add(at_home)
    found = roundtrip.comparison
    same = found.values["all"] - found.values["changed"]
    share = f", {100 * same // found.values['all']} %" if found.values["all"] else ""
    return f"{found.events['returned']} of {found.events['read']}{share}"


def peers_table():
    """What a conversion takes beside others, of the newest run on docs/speed.md."""
    text = text_of(ROOT / "docs" / "speed.md")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    shown = [
        (race, who, wall.partition(" /")[0], f"{float(ratio):.1f}", peak)
        for race, who, wall, ratio, _, _, peak in (row for row in rows if len(row) == 7)
        if race in ("convert", "inspect") and who not in ("floor", "who")
    ]
    return table(("job", "who", "seconds", "in times of translate's", "MB at most"), *shown)


GENERATED = {
    "pairs": pairs_table,
    "notebooks": notebooks_table,
    "models": models_table,
    "limits": limits_table,
    "commands": commands_table,
    "preflight": preflight_table,
    "paces": paces_table,
    "names": names_table,
    "columns": columns_table,
    "settings": settings_table,
    "exit codes": exit_codes_table,
    "peers": peers_table,
    **{f"help {name}": partial(help_of, name) for name in commands()},
    **REFERENCE,
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_part(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    (page,) = [page for page in PAGES if begin in text_of(page)]
    before, _, rest = text_of(page).partition(begin)
    told, found_end, after = rest.partition(end)
    assert found_end
    made = "".join(f"{line.rstrip()}\n" for line in GENERATED[name]().splitlines())
    if os.environ.get("TRANSLATE_ACCEPT"):
        page.write_text(before + begin + made + end + after, encoding="utf-8")
        return
    assert told == made


@pytest.mark.parametrize(
    ("page", "sheets", "read"),
    [
        ("mappings.md", ["mappings/*.toml", "tests/bad_mappings/*.toml"], parse),
        ("recipes.md", ["mappings/recipes/*.toml", "tests/bad_recipes/*.toml"], recipe.load),
    ],
)
def test_the_page_shows_the_keys_that_the_parser_takes(page, sheets, read, monkeypatch):
    """Whatever table of a file is read, its keys are those on the page; and the page has no others."""
    taken, known_keys = {"columns.X": {*columns.KEYS}} if read == recipe.load else {}, Sheet.known_keys

    def listening(self, table, path, known):
        if self.file in files:  # a recipe reads the sheets of models, too
            taken.setdefault(path, set()).update(known)
        known_keys(self, table, path, known)

    monkeypatch.setattr(Sheet, "known_keys", listening)
    files = {file.name: file for pattern in sheets for file in sorted(ROOT.glob(pattern))}
    for file in files.values():
        with contextlib.suppress(MappingError):
            read(file)
    found = {}
    for pattern, keys in documented(text_of(ROOT / "docs" / page)).items():
        paths = [path for path in taken if re.fullmatch(pattern, path)]
        found[pattern] = (set().union(*(taken.pop(path) for path in paths)), keys)
    assert taken == {}
    assert {pattern: both for pattern, both in found.items() if both[0] != both[1]} == {}


def test_every_place_of_a_sentence_has_a_meaning():
    places = {*VERIFY_PLACES, *_FOUND}
    assert places.union(*(kind.says for kind in CHECKS.values())) == {*PLACES}


def test_every_generated_part_has_a_maker():
    marked = [name for page in PAGES for name in MARK.findall(text_of(page))]
    assert sorted(marked) == sorted(GENERATED)


def test_readme_is_a_front_page():
    assert len(text_of(README).splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("page", PAGES, ids=address)
def test_what_a_page_points_to_exists(page):
    """Files and folders exist, and so do headings, in this page and in others."""
    assert len(anchors(page)) == len(set(anchors(page)))
    missing = []
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(f"{path}#{anchor}")
    assert missing == []


@pytest.mark.parametrize("start", [README, ROOT / "docs" / "README.md"], ids=address)
def test_every_page_is_reached(start):
    reached = {(start.parent / path).resolve() for path, _ in links(start)}
    assert [address(page) for page in PAGES if page not in {*reached, start}] == []


def test_each_command_has_a_page():
    """A command more wants docs/commands/NAME.md, with its marks of `help NAME`, and a line in docs/README.md."""
    assert sorted(page.stem for page in (ROOT / "docs" / "commands").glob("*.md")) == sorted(commands())


def test_the_source_distribution_holds_what_pages_point_to():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    targets = {
        (page.parent / path).resolve().relative_to(ROOT) for page in PAGES for path, _ in links(page) if path
    }
    assert {target.parts[0] for target in targets} - set(included) == set()


def test_every_command_and_option_on_a_page_exists():
    text = "".join(map(text_of, PAGES))
    known = commands()
    options = {
        option
        for command in [typer.main.get_command(cli.commands()), *known.values()]
        for parameter in command.params
        for option in parameter.opts
    }
    called = re.findall(r"^(?:.* && )?(?:\.venv/bin/)?translate ([a-z][a-z-]* [^\n#]*)", text, re.MULTILINE)
    assert {call.split()[0] for call in called} == set(known)
    used = {option for call in called for option in re.findall(r"(?<!\S)--[a-z-]+", call)}
    assert used - options == set()


def test_ci_runs_the_tests_as_the_page_says():
    command = re.search(r"python (-m pytest.*)$", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert command
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == f"python {command[1]}"


def test_the_newest_change_is_this_version():
    assert re.findall(r"^## (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)[0] == translate.__version__


def test_public_names_are_those_of_the_front_door():
    text = "".join(map(text_of, PAGES))
    assert set(re.findall(r"translate\.([a-z]+)\(", text)) <= set(translate.__all__)
