"""Goldens: the zoo as each layout writes it, and the samples as they are read. TRANSLATE_ACCEPT=1 rewrites them."""

import json
import os
import warnings
from pathlib import Path

import pytest
from canonical import ROW, SAMPLES, judged, requests, zoo

import translate
from translate import events, mapping
from translate.writer.writer import FILTERED

GOLDEN = Path(__file__).parent / "golden"
ACCEPT = os.environ.get("TRANSLATE_ACCEPT") == "1"
WRITABLE = [
    f"{row['model']}/{row['layout']}"
    for row in translate.models().iter_rows(named=True)
    if row["write"] and row["model"] != "hub"
]
READ = {
    "mobile_analytics/archive_full": SAMPLES / "mobile_analytics" / "archive_full.jsonl",
    "mobile_analytics/archive_minimal": SAMPLES / "mobile_analytics" / "archive_minimal.jsonl",
    "mobile_analytics/archive_selection": GOLDEN / "mobile_analytics" / "archive_selection.jsonl",
    **{
        f"{file.parent.name}/{file.stem}": file
        for kind in ("minimal", "full", "bodies")
        for file in sorted(SAMPLES.glob(f"*/*_{kind}.*"))
        if file.suffix in (".jsonl", ".csv")
    },
}


def compare(name, text):
    """Compare with the golden of that name, or write it anew."""
    file = GOLDEN / name
    if ACCEPT:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    assert file.read_bytes().decode() == text, (
        f"{file.name} differs; if that is right, accept it with TRANSLATE_ACCEPT=1"
    )


def json_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def not_written(address):
    """Tell which events of the zoo a layout does not write, and why."""
    found, layout = mapping.find_layout(address)
    for row in judged(zoo(), found, layout).iter_rows(named=True):
        head = {"line": row["line"], "name": row["name"]}
        if row["code"] is not None:
            yield {**head, "code": row["code"], "message": row["message"]}
        elif row[FILTERED] is not None:
            yield {**head, "filtered": row[FILTERED]}


@pytest.mark.parametrize("address", WRITABLE)
def test_zoo_as_written(address):
    """The zoo's events, written by a layout and packed into its requests, are its golden to the byte."""
    found, layout = mapping.find_layout(address)
    if layout.request is not None:
        lines, _ = requests(zoo(), found, layout)
        compare(f"{address}.zoo.ndjson", "".join(line + "\n" for line in lines))
        return
    rows = translate.write(zoo(), model=address).collect()
    if "row" in rows.columns:
        compare(f"{address}.zoo.ndjson", "".join(row + "\n" for row in rows["row"]))
    else:
        compare(f"{address}.zoo.csv", rows.write_csv())


@pytest.mark.parametrize("address", WRITABLE)
def test_zoo_not_written(address):
    """The zoo's events that a layout does not write carry the code and message of the golden."""
    refused = list(not_written(address))
    compare(f"{address}.zoo.not_written.ndjson", json_lines(refused))
    assert len(refused) + translate.write(zoo(), model=address).collect().height == zoo().height


@pytest.mark.parametrize("address", WRITABLE)
def test_each_zoo_event_is_written_the_same_alone(address):
    """An event of the zoo is written alone as it is among the others."""
    found, layout = mapping.find_layout(address)
    for row in judged(zoo(), found, layout).iter_rows(named=True):
        alone = judged(zoo().filter(line=row["line"]), found, layout).row(0, named=True)
        assert {**alone, ROW: alone.get(ROW)} == {**row, ROW: row.get(ROW)}


def shown(event):
    """Give a hub event as JSON values, without what is absent."""
    return {
        name: value.isoformat(timespec="milliseconds") if events.SCHEMA[name] == events.TIME else value
        for name, value in event.items()
        if value is not None
    }


@pytest.mark.parametrize("name", READ)
def test_sample_as_read(name):
    """A sample archive's records, read, are the golden's hub events."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        frame = translate.scan(READ[name]).collect()
    assert [str(warning.message) for warning in told] == []
    compare(f"{name}.hub.ndjson", json_lines(map(shown, frame.iter_rows(named=True))))


def test_goldens_are_all_in_use():
    """No golden is left over from a layout or sample that is gone."""
    wanted = {f"{name}.hub.ndjson" for name in READ} | {"mobile_analytics/archive_selection.jsonl", "ids.txt"}
    for address in WRITABLE:
        _, layout = mapping.find_layout(address)
        ending = "csv" if layout.records == "csv" else "ndjson"
        wanted |= {f"{address}.zoo.{ending}", f"{address}.zoo.not_written.ndjson"}
    assert {file.relative_to(GOLDEN).as_posix() for file in GOLDEN.rglob("*") if file.is_file()} == wanted
