"""What README.md says about the code is what the code says.

    TRANSLATE_ACCEPT=1 python -m pytest tests/test_docs.py          writes the generated parts anew (without -n)
"""

from __future__ import annotations

import os
import re
import sys
import types
from pathlib import Path

import duckdb
import pytest
import typer.main
from canonical import zoo
from typer.core import TyperGroup

import translate
from translate import cli, events, mapping
from translate.comparison import Roundtrip
from translate.errors import EXIT_MEANINGS
from translate.journey import INDEX, travel
from translate.mapping import codecs
from translate.settings import KEYS, Settings

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def table(*rows):
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def escaped(text):
    return text.replace("|", "\\|")


def models_table():
    marks = {True: "yes", False: ""}
    rows = [
        (f"`{row['model']}/{row['layout']}`", marks[row["read"]], marks[row["write"]], escaped(row["about"]))
        for row in translate.models().iter_rows(named=True)
    ]
    return table(("model/layout", "read", "write", "what it is"), *rows)


def columns_table():
    rows = [(f"`{name}`", type_name(column.dtype), escaped(column.meaning)) for name, column in events.COLUMNS.items()]
    return table(("column", "type", "meaning"), *rows)


def type_name(dtype):
    names = {events.TEXT: "text", events.WHOLE: "whole", events.NUMBER: "number", events.TIME: "time", events.MAP: "map"}
    return names[dtype]


def names_table():
    return table(("name", "meaning"), *((f"`{name}`", meaning) for name, meaning in events.WELL_KNOWN.items()))


def exit_codes_table():
    return table(("code", "meaning"), *((str(int(code)), meaning) for code, meaning in EXIT_MEANINGS.items()))


def codecs_table():
    vocabulary = {**codecs.SCALARS, **codecs.CONTAINERS}
    return table(("codec", "what it is"), *((f"`{name}`", escaped(vocabulary[name].about)) for name in codecs.VOCABULARY))


def settings_table():
    return table(("setting", "meaning"), *((f"`{name}`", meaning) for name, meaning in KEYS.items()))


def help_of_commands():
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    with group.make_context("translate", ["models"]) as parent:
        texts = []
        for name, command in group.commands.items():
            context = command.make_context(name, [], parent=parent, resilient_parsing=True)
            texts.append(f"```text\n{command.get_help(context)}\n```")
    return "\n\n".join(texts)


def preflight_table():
    """What stops a replay, by model, and what is only said."""
    rows = [
        (f"`{model}`", f"`{hazard.name}`", "stops" if hazard.loses else "said", escaped(in_general(hazard)))
        for model in mapping.models()
        for hazard in mapping.load(model).delivery.preflight.values()
    ]
    return table(("model", "name", "", "what is found"), *rows)


def in_general(hazard):
    """Take a hazard's sentence without the figures of a run."""
    said = re.sub(r"\{(users|found)\} |all \{events\}|\{events\} (?=events)| \(\{share\}\)|, the (oldest|last) of \{\w+\}", "", hazard.says)
    return said.replace(", of events,", "").format(value=hazard.value or "...").replace("  ", " ")


def pairs_table():
    """What comes back of the zoo, from each model through each other one."""
    addresses = [mapping.load(model).default_layout().address for model in mapping.models()]
    rows = [[f"`{home.partition('/')[0]}`", *(returned(home, via) for via in addresses)] for home in addresses]
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


GENERATED = {
    "pairs": pairs_table,
    "models": models_table,
    "preflight": preflight_table,
    "names": names_table,
    "columns": columns_table,
    "settings": settings_table,
    "exit codes": exit_codes_table,
    "codecs": codecs_table,
    "help": help_of_commands,
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_part(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    readme = README.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = readme.partition(begin)
    told, found_end, after = rest.partition(end)
    assert found
    assert found_end
    made = "".join(f"{line.rstrip()}\n" for line in GENERATED[name]().splitlines())
    if os.environ.get("TRANSLATE_ACCEPT"):
        README.write_text(before + begin + made + end + after, encoding="utf-8")
        return
    assert told == made


def test_every_generated_part_has_a_maker():
    marked = re.findall(r"^<!-- ([a-z ]+) -->$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(marked) == sorted(GENERATED)


def test_what_readme_points_to_exists():
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_and_option_in_readme_exists():
    text = README.read_text(encoding="utf-8")
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    options = {option for command in [group, *group.commands.values()] for parameter in command.params for option in parameter.opts}
    called = re.findall(r"^(?:\.venv/bin/)?translate ([a-z]+ [^\n#]*|models[^\n#]*)", text, re.MULTILINE)
    assert {call.split()[0] for call in called} == set(group.commands)
    used = {option for call in called for option in re.findall(r"(?<!\S)--[a-z-]+", call)}
    assert used - options == set()


def test_ci_runs_the_tests_as_readme_says():
    command = re.search(r"python (-m pytest.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == f"python {command[1]}"


def test_public_names_are_those_of_the_front_door():
    text = README.read_text(encoding="utf-8")
    assert set(re.findall(r"translate\.([a-z]+)\(", text)) <= set(translate.__all__)


def test_the_account_in_readme_is_what_is_said():
    """The account in the first minutes holds lines of the transcript, but for its folder's name."""
    told = block("text").splitlines()
    transcript = (ROOT / "tests" / "transcripts" / "convert.md").read_text(encoding="utf-8")
    said = transcript.partition("\n% ")[2].partition("\n% ")[0].splitlines()
    assert [line for line in told[:-1] if line.strip() != "..." and line not in said] == []
    assert told[-1] == "report: clicks/report.json"


def block(language):
    found = re.search(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_recipe_in_readme_is_good(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(block("toml"), encoding="utf-8")
    checked = translate.check(recipe)
    assert (checked.tests, list(checked.complaints)) == (1, [])


def test_the_python_in_readme_runs(tmp_path, monkeypatch):
    (tmp_path / "archive").symlink_to(ROOT / "sample_data" / "mobile_analytics" / "archive")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    assert names["scores"].collect()["score"].count()
    assert names["rows"].collect().height == names["report"]["events"]["written"]


def test_the_sql_in_readme_runs(tmp_path, monkeypatch):
    """DuckDB reads the hub's Parquet, and its maps as maps."""
    monkeypatch.chdir(tmp_path)
    translate.convert(ROOT / "sample_data" / "mobile_analytics" / "archive", to="hub", out="parquet", limit=300)
    rows = duckdb.sql(block("sql")).fetchall()
    assert sum(events for _, events, _ in rows) == 300
    assert [name for name, _, score in rows if score is not None]
