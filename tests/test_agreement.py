"""Two accounts of one conversion, the census of keys and the report's losses: neither says what the other does not."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from canonical import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

import translate
from translate import mapping
from translate.conversion.census.destinations import NOT_TOLD
from translate.conversion.census.fates import PASSED_OVER, WITHOUT_EVENT
from translate.mapping.paths import shown
from translate.reader.record import DOUBLED

LAYOUTS = [
    f"{row['model']}/{row['layout']}"
    for row in translate.models().to_dicts()
    if row["read"] and row["model"] != "hub"
]
TARGETS = [f"{row['model']}/{row['layout']}" for row in translate.models().to_dicts() if row["write"]]
SOURCES = [
    (address, path)
    for address in LAYOUTS
    for path in sorted((SAMPLES / address.partition("/")[0]).glob(f"{address.partition('/')[2]}_*.*"))
    if not path.name.endswith(".schema.json")
]
SETTINGS = ["tracking_id=tracker-1", "day=2026-11-20", "app_id=shop"]
HOMES = {"attributes", "metrics", "other"}
TOLD = ("changed", "no_place", "unknown", "dropped")


def accounts(source, address, to, folder):
    """Convert with a census; give the report and what became of each key."""
    report = translate.convert(source, from_=address, to=to, out=folder, set_=SETTINGS, census=True)
    return report, [
        json.loads(line) for line in (folder / "keys.ndjson").read_text(encoding="utf-8").splitlines()
    ]


def speaks_for(address):
    """Give the test whether a key of the census is what a loss names: itself, what it lies in, or another place of the same hub column."""
    model, _, layout = address.partition("/")
    columns = defaultdict(set)
    for entry in mapping.load(model).layouts[layout].all_fields:
        for place in (entry.place, *entry.also):
            columns[place.removesuffix(".*")] |= set(entry.hub)
    peeked = {
        place: entry.place
        for entry in mapping.load(model).layouts[layout].all_fields
        for place in entry.also
        if place.count(".") > 1
    }
    homes = {*HOMES, *(place for place, held in columns.items() if held & HOMES)}

    def rest(place):
        return next((place.removeprefix(f"{home}.") for home in homes if place.startswith(f"{home}.")), None)

    def speaks(key, field):
        key, field = shown(key).replace("raw_path", "path").replace("\\", ""), field.replace("\\", "")
        if rest(key) is not None and rest(key) == rest(
            field
        ):  # a number among texts is told where numbers are
            return True
        nested = (
            key == field
            or key.startswith(f"{field}.")
            or field.startswith(f"{key}.")
            or fnmatchcase(f"{key}.set_timestamp", field)
        )
        if any(
            place.startswith(f"{key}.") and field == of for place, of in peeked.items()
        ):  # a text that holds JSON, looked into
            return True
        whole = {
            home for home in columns if key == home or key.startswith(f"{home}.")
        }  # a map, at whichever place
        return nested or any(columns[home] & columns.get(field, set()) for home in whole)

    return speaks


def places_of_app_id(address):
    """Name the places of what the settings give: it is no key of the source."""
    model, _, layout = address.partition("/")
    fields = mapping.load(model).layouts[layout].all_fields
    return {"app.id", *(entry.place for entry in fields if entry.hub[:1] == ("app.id",))}


def disagreements(report, rows, address):
    """List what only one of both tells."""
    speaks = speaks_for(address)
    told = defaultdict(int)
    for loss in report["losses"]:
        told[loss["field"], loss["why"]] += loss["events"]
    counted = Counter()
    for row in rows:
        if row["fate"] in TOLD:
            counted[row["key"], row["how"]] += row["events"]
    for (key, how), events in counted.items():
        if how in (NOT_TOLD, "not in the text"):
            yield f"nobody tells of {key}: {how}"
        elif how not in report["filtered"] and how != WITHOUT_EVENT.how:
            why = DOUBLED if how == PASSED_OVER.how else how
            if (
                sum(count for (field, other), count in told.items() if other == why and speaks(key, field))
                < events
            ):
                yield f"the report tells of fewer than {events} events of {key}: {how}"
    for (field, why), events in told.items():
        found = [row for row in rows if speaks(row["key"], field)]
        own = [row for row in found if shown(row["key"]) == field or field.startswith(shown(row["key"]))]
        heard = [row for row in found if row["fate"] in (*TOLD, "renamed", "null") or row not in own]
        if (
            found and sum(row["events"] for row in heard) < events
        ):  # what the settings give is no key of the source
            yield f"the census tells of fewer than {events} events of {field}: {why}"
        if not found and field not in places_of_app_id(address):
            yield f"the census knows nothing of {field}: {why}"


@pytest.mark.parametrize(
    ("number", "address", "source"),
    [(number, *source) for number, source in enumerate(SOURCES)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_on_every_sample(number, address, source, tmp_path):
    """Each sample, to every third target, so that each pair of models comes up."""
    for target in TARGETS[number % 3 :: 3]:
        assert (
            list(
                disagreements(
                    *accounts(source, address, target, tmp_path / target.replace("/", "-")), address
                )
            )
            == []
        ), target


# -- generated archives -------------------------------------------------------------------------------------------------

NAMES = [
    "currency",
    "time",
    "price",
    "extra",
    "session",
    "app.id",
    "a.b",
    "x",
    "",
    "ü",
    "_session_id",
    "attributes",
    "metrics",
    "user",
    "^x",
    "^query.x",
    "value",
    "kind|why",
    "tab\there",
]
ODD = st.sampled_from(
    [
        None,
        "",
        "x",
        "2014-02-30T00:00:00Z",
        "2016-12-31T23:59:60Z",
        0,
        -1,
        1.5,
        2**53 + 1,
        10**40,
        True,
        False,
        [],
        {},
        ["a", 1],
        {"a": {"b": None}},
        {"value": 1},
        "1487973802507",
    ]
)


@st.composite
def spoiled(draw, record):
    """A record to which a few things were done, at any depth."""
    record = json.loads(json.dumps(record))
    for _ in range(draw(st.integers(0, 3))):
        here = record
        while isinstance(here, dict | list) and here and draw(st.integers(0, 3)):
            inner = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
            if not isinstance(here[inner], dict | list):
                break
            here = here[inner]
        if isinstance(here, dict):
            name = draw(st.sampled_from([*sorted(here), *NAMES]))
            if draw(st.integers(0, 4)) or name not in here:
                here[name] = draw(ODD)
            else:
                del here[name]
    return record


def archives(address):
    """A few spoiled records of a layout's sample."""
    records = [
        json.loads(line)
        for line in next(path for name, path in SOURCES if name == address and "_full" in path.name)
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    return st.lists(st.sampled_from(records).flatmap(spoiled), min_size=1, max_size=8)


JSON_LAYOUTS = [
    address for address in LAYOUTS if address not in ("mobile_analytics/redshift", "personalize/interactions")
]


@pytest.mark.parametrize("address", JSON_LAYOUTS)
@settings(max_examples=8)
@given(data=st.data())
def test_on_generated_archives(address, data):
    """Whatever was done to the records: what is not kept is told by both, and what is kept by neither."""
    records = data.draw(archives(address))
    target = data.draw(st.sampled_from(TARGETS))
    doubled = data.draw(st.booleans())
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    if doubled:
        lines = [f'{{"currency":1,{line[1:]}' if line.startswith('{"') else line for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.jsonl"
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        report, rows = accounts(source, address, target, Path(folder) / "out")
    assert list(disagreements(report, rows, address)) == [], target
