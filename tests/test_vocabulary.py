"""The vocabulary is one room: outside of it nobody asks which word a field has, only what its traits are."""

import ast
import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

import translate
from translate import events
from translate.mapping import fields
from translate.vocabulary import words
from translate.vocabulary.notation import as_it_is
from translate.vocabulary.word import Container, Scalar

PACKAGE = Path(__file__).parent.parent / "translate"
ROOM = PACKAGE / "vocabulary"
# What may be taken out of the room by name, and why.
DOORS = {
    ("mapping/spec.py", "word_of"): "a field's codec becomes its word here and nowhere else",
    ("mapping/fields.py", "VOCABULARY"): "a complaint about an unknown codec names the nearest known one",
    ("mapping/fields.py", "WORDS"): "a complaint about a template names what may stand in one",
}
# Words that are meant where no field has them.
EXCEPTIONS = {
    ("reader/containers.py", "EPOCH_MS"): "the time at which a user's attribute was set has no field of its own",
    ("judging/judges.py", "MAP_OF_TEXTS"): "a limit asks what this word would change in a row that another one wrote",
    ("judging/judges.py", "MAP_OF_LISTS"): "the same",
    ("telling/explanation/__init__.py", "EVENT_NAME"): "the reason that the writer gives for a name made legal",
    ("telling/explanation/sections.py", "TEXT"): "what the word of a field that names none is, goes without saying",
}  # fmt: skip
MODULES = [path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(ROOM)]


def is_name_of_word(node):
    """Tell whether an expression is a field's codec, or the name of a word."""
    match node:
        case ast.Attribute(attr="codec") | ast.Name(id="codec"):
            return True
        case ast.Attribute(value=ast.Name(id="word") | ast.Attribute(attr="word"), attr="name"):
            return True
    return False


def questions(tree):
    """Give the lines that ask which word a field has: comparisons with its name, tables by its name, methods of its name."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                asked = [left, *others]
                asked += [inner for other in asked if isinstance(other, ast.Tuple) for inner in other.elts]
            case ast.Subscript(slice=asked_for):
                asked = [asked_for]
            case ast.Call(func=ast.Attribute(value=value, attr=attr), args=arguments):
                asked = [value, *(arguments[:1] if attr in ("get", "index", "pop") else [])]
            case ast.Match(subject=subject):
                asked = [subject]
            case _:
                asked = []
        if any(map(is_name_of_word, asked)):
            yield node.lineno


def taken_from_the_words(tree):
    """Give the names of words, and of tables of them, that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("translate.vocabulary.words"):
            yield from (alias.name for alias in node.names if alias.name.isupper() or alias.name == "word_of")
        elif isinstance(node, ast.ImportFrom) and node.module == "translate.vocabulary":
            yield from (alias.name for alias in node.names if alias.name == "words")


@pytest.mark.parametrize(
    "question",
    [
        'entry.codec == "text"',
        'entry.codec in ("worth", "money")',
        "codec not in CONTAINERS",
        "(entry.hub, entry.codec) in told",
        "SCALARS[entry.codec]",
        "BELOW.get(entry.codec)",
        'entry.codec.startswith("epoch_s")',
        'entry.word.name == "text"',
        "match entry.codec:\n    case 'text': pass",
    ],
)
def test_a_question_is_found(question):
    assert [*questions(ast.parse(question))] == [1]


def test_only_the_vocabulary_asks_which_word_a_field_has():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in MODULES
        for line in questions(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "ask the field's word for a trait (entry.word.is_container), not which one it is"


def test_words_leave_their_room_by_known_doors():
    found = {
        (str(path.relative_to(PACKAGE)), name)
        for path in MODULES
        for name in taken_from_the_words(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == DOORS.keys() | EXCEPTIONS.keys()
    assert len(EXCEPTIONS) <= 5


@pytest.mark.parametrize("path", sorted((ROOM / "words").glob("*.py")), ids=lambda path: path.name)
def test_a_family_of_words_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 200


# -- a new word --------------------------------------------------------------------------------------------------------

SHOUTED = Scalar(
    "shouted", "text in capitals",
    types=(events.TEXT,), wire="text", read=as_it_is, write=lambda columns: columns[0].str.to_uppercase(),
    changed=lambda columns: columns[0] != columns[0].str.to_uppercase(), why="shouted",
)  # fmt: skip
LABELS = Container(
    "labels", "an object of labels", stands_for=("attributes", "metrics", "other"), form="object"
)
SHEET = """
title = "Acme"
source = "https://acme.example.com"

[layout.events]
about = "an event a line"
records = "json-lines"
default = true
source = "https://acme.example.com"

[layout.events.fields]
what   = { hub = "name", required = true }
at     = { hub = "time", as = "epoch_ms", required = true }
city   = { hub = "device.locale", as = "shouted" }
labels = { hub = ["attributes", "metrics", "other"], as = "labels" }
"""


@pytest.fixture(params=["kernel", "reference"])
def acme(request, monkeypatch, tmp_path):
    """Give the folder of a sheet that says two words which the room does not have."""
    monkeypatch.setenv("TRANSLATE_ENGINE", request.param)
    for word in (SHOUTED, LABELS):
        monkeypatch.setitem(words.WORDS, word.name, word)
    monkeypatch.setattr(fields, "VOCABULARY", [*fields.VOCABULARY, SHOUTED.name, LABELS.name])
    (tmp_path / "acme.toml").write_text(SHEET, encoding="utf-8")
    return tmp_path


def test_a_new_word_is_said_in_one_place(acme):
    """What its traits say is all that reading, writing, counting and explaining ask for, with either engine."""
    row = '{"what":"e","at":1460000000000,"city":"oslo","labels":{"a":"b","n":1,"t":true}}'
    (acme / "events.json").write_text(row + "\n", encoding="utf-8")
    translate.convert(acme / "events.json", from_="acme", to="hub", out=acme / "hub", mappings=acme)
    event = pl.read_parquet(acme / "hub" / "data" / "*.parquet").row(0, named=True)
    assert event["time"] == dt.datetime.fromtimestamp(1460000000, dt.UTC)
    assert (event["device.locale"], event["attributes"], event["metrics"], event["other"]) == (
        "oslo",
        {"a": "b"},
        {"n": "1"},
        {"t": "true"},
    )

    report = translate.convert(acme / "hub", to="acme", out=acme / "rows", mappings=acme)
    (written,) = (acme / "rows" / "data").glob("*")
    assert json.loads(written.read_text()) == {**json.loads(row), "city": "OSLO"}
    losses = {loss["field"]: (loss["kind"], loss["why"]) for loss in report["losses"]}
    assert losses["device.locale"] == ("changed", "shouted")

    how = {row.field: row.how for row in translate.explain(from_="hub", to="acme", mappings=acme).rows}
    assert how["city"] == "text in capitals"
    assert how["labels"].startswith("an object of labels")
