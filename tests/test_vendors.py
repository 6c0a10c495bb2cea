"""Nothing of a vendor stands in the code: the data sheets say all of it, so that a sheet alone makes another model."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ROOT / "translate"
# What talks to a vendor's endpoint, or plays one, has to know it.
OF_VENDORS = ("delivery/endpoints/", "mapping/protocols.py", "rehearsal/", "cli/rehearsal.py")
SHEETS = {file.stem: file.read_text(encoding="utf-8") for file in sorted((ROOT / "mappings").glob("*.toml"))}
TABLES = {model: tomllib.loads(text) for model, text in SHEETS.items()}
# Words that anybody might use: names of the hub, and what is one plain word.
PLAIN = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*|[A-Z]?[a-z]+|[A-Z]+")
NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]{2,}")


def hosts():
    return {host for text in SHEETS.values() for host in re.findall(r"https?://([a-z0-9.-]+)", text)}


def titles():
    """Give the models' titles, and what is left of them without their maker."""
    for table in TABLES.values():
        yield table["title"]
        yield re.sub(r"^(Amazon|AWS) | (Analytics on AWS|API)$", "", table["title"])


def names():
    """Give what the sheets call things: members on the way to each field, events, texts that checks name."""
    for table in TABLES.values():
        for spelled in table["names"].values():
            yield spelled if isinstance(spelled, str) else spelled["name"]
        for layout in table["layout"].values():
            for fields in (layout.get("fields", {}), layout.get("request", {}).get("fields", {})):
                for place in fields:
                    yield from place.split(".")
            for check in layout.get("checks", {}).values():
                yield from texts(check.get("value", {}))


def reserved():
    """Give the keys that receivers keep to themselves, as code would compare them; those of one plain word anybody uses."""
    checks = [
        check
        for table in TABLES.values()
        for layout in table["layout"].values()
        for check in layout.get("checks", {}).values()
    ]
    return {
        key.lower()
        for check in checks
        if check.get("judge") == "none_of_any_case"
        for key in check["value"]
        if not key.islower()
    }


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)


def literals(file):
    """Give the text literals of a module that are no docstrings, with their lines."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    docs = {id(node.body[0].value) for node in documented if node.body and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def modules():
    return [
        file
        for file in sorted(CODE.rglob("*.py"))
        if not file.relative_to(CODE).as_posix().startswith(OF_VENDORS)
    ]


def found(words, file, root=ROOT):
    wanted = re.compile(
        r"(?<![\w-])(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + r")(?!\w)"
    )
    name = file.relative_to(root).as_posix()
    return [f"{name}:{line}: {match[0]}" for line, text in literals(file) for match in wanted.finditer(text)]


@pytest.mark.parametrize(
    "words",
    [
        {*TABLES},
        {*titles()},
        hosts(),
        {name for name in names() if NAME.fullmatch(name) and not PLAIN.fullmatch(name)},
        reserved(),
    ],
    ids=["models", "titles", "hosts", "names", "reserved"],
)
def test_no_module_knows_a_vendor(words):
    """No text literal outside of the protocols and the rehearsal names a model, its title, a host, or one of its own names."""
    assert len(words) > 1
    assert [place for file in modules() for place in found(words, file)] == []


def test_what_is_described_needs_no_module():
    """Where a sheet describes all there is to a model, not even the rooms that speak with vendors know of it."""
    described = {name: table for name, table in TABLES.items() if "protocol" not in table.get("delivery", {})}
    assert len(described) > 0
    sources = "\n".join(SHEETS[name] for name in described)
    theirs = {*described, *(table["title"] for table in described.values())}
    theirs |= {*re.findall(r"https?://([a-z0-9.-]+)", sources)} - {"docs.aws.amazon.com"}
    assert [place for file in sorted(CODE.rglob("*.py")) for place in found(theirs, file)] == []


def test_the_search_finds_what_it_looks_for(tmp_path):
    """A literal with a vendor's name is found, one in a docstring is not."""
    file = tmp_path / "module.py"
    file.write_text(
        '"""It knows of acme."""\nURL = "https://acme.example.com/x"\nACME = "acmes"\n', encoding="utf-8"
    )
    assert [line for line, text in literals(file)] == [2, 3]
    assert found({"acme"}, file, tmp_path) == ["module.py:2: acme"]
