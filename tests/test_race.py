"""The benchmark against the peers runs, compares before it measures, and finds what differs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import comparing  # noqa: E402
import figures  # noqa: E402
import foreign  # noqa: E402
import race  # noqa: E402
from measuring import Contender, FailedError, Measured, Run, run  # noqa: E402


def rows(directory, *, change=None, count=20):
    directory.mkdir()
    lines = []
    for number in range(count):
        attributes = {"a": "x", "n": 2**60 + number, "b": None}
        row = {"event_type": "e", "event_id": str(number), "timestamp": number, "attributes": attributes}
        if change and number == 3:
            change(row)
        lines.append(json.dumps(row, separators=(",", ":")))
    (directory / "rows.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return comparing.read_output(directory, records=count)


CHANGES = {
    "a text": lambda row: row["attributes"].update(a="y"),
    "a number": lambda row: row["attributes"].update(n=2**60 + 4096),
    "the sign of a number": lambda row: row["attributes"].update(n=-(10**400)),
    "a text for a number": lambda row: row["attributes"].update(n=str(2**60 + 3)),
    "a member too many": lambda row: row["attributes"].update(c="z"),
    "a member that is missing": lambda row: row["attributes"].pop("a"),
    "true for 1": lambda row: row["attributes"].update(n=True),
    "another type": lambda row: row.update(event_type="f"),
    "another time": lambda row: row.update(timestamp=99),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_the_comparison_finds(tmp_path, change):
    """One row that differs in one thing stops the race."""
    ours, theirs = rows(tmp_path / "ours"), rows(tmp_path / "theirs", change=change)
    with pytest.raises(comparing.DifferentError):
        comparing.compare(["ours", "theirs"], [ours, theirs])


def test_a_command_that_made_nothing_did_no_work(tmp_path):
    """Its code is that of a run with rejects, too; so what it was to make has to be there."""
    codes, target = (0, 1), tmp_path / "made"
    makes = f"import pathlib, sys; pathlib.Path({str(target)!r}).touch(); sys.exit(1)"
    for script in ("import sys; sys.exit(1)", "import nothing_of_that_name"):
        with pytest.raises(FailedError, match="ended with 1"):
            run(Contender("fails", lambda _, script=script: [sys.executable, "-c", script], codes), target)
    assert run(Contender("makes", lambda _: [sys.executable, "-c", makes], codes), target).cpu_seconds > 0


def test_the_comparison_finds_a_row_too_few(tmp_path):
    """So does a row that is missing."""
    with pytest.raises(comparing.DifferentError, match="number of rows"):
        comparing.compare(["ours", "theirs"], [rows(tmp_path / "ours"), rows(tmp_path / "theirs", count=19)])


def test_the_comparison_leaves_out_what_peers_cannot_make(tmp_path):
    """Made ids, nulls, and doubles beyond 2^53 are no difference."""

    def change(row):
        row["attributes"] = {"a": "x", "n": float(2**60 + 3)}

    told = comparing.compare(
        ["ours", "theirs"], [rows(tmp_path / "ours"), rows(tmp_path / "theirs", change=change)]
    )
    assert told.startswith("20 rows of 1 types counted, 20 compared value by value")


def test_survivors_of_faults(tmp_path):
    """A faulty archive may lose as many rows as it has faults, and has to reject some."""
    rows(tmp_path / "plain")
    rows(tmp_path / "faulty", count=18)
    (tmp_path / "faulty" / "rejects.ndjson").write_text("{}\n{}\n", encoding="utf-8")
    assert "2 are missing" in comparing.survivors(tmp_path / "plain", tmp_path / "faulty", 10)
    with pytest.raises(comparing.DifferentError, match="2 rows are missing"):
        comparing.survivors(tmp_path / "plain", tmp_path / "faulty", 20)
    (tmp_path / "faulty" / "rejects.ndjson").write_text("", encoding="utf-8")
    with pytest.raises(comparing.DifferentError, match="nothing was rejected"):
        comparing.survivors(tmp_path / "plain", tmp_path / "faulty", 10)


def test_figures_that_differ():
    """A figure of `inspect` that is another in SQL is named."""
    ours = {"events": 3, "keys": [["e", "k", 2]]}
    assert figures.compare(ours, {"events": 3, "keys": [["e", "k", 2, 0]]}) == ""
    assert figures.compare(ours, {"events": 4, "keys": []}) == "events: (3, 4)"
    assert figures.compare(ours, {"events": 3, "keys": [["e", "k", 1, 0]]}).startswith("keys: ")


def test_a_loss_is_shown_as_a_loss():
    """What misses its bar says so."""
    results = race.Results()
    ours, theirs = (
        Measured(name, [Run(seconds, seconds, 1_000_000)]) for name, seconds in (("translate", 4), ("x", 2))
    )
    results.add("convert", {"translate": ours, "x": theirs}, "translate")
    ratio = theirs.times(ours, "seconds")
    results.bar("convert", "times as fast as x", ratio, 2, 1.5, at_least=True)
    results.bar("convert", "times as fast as x, twice", 1.6, 2, 1.5, at_least=True)
    results.bar("memory", "MB", 200, 256)
    told = race.told(results)
    assert [line.split("|")[-2].strip() for line in told.splitlines() if "| at " in line] == [
        "MISSED",
        "required met, aim missed",
        "met",
    ]
    assert "| 0.50" in told


def test_the_foreign_archive():
    """It is the same each time, holds what it promises, and faults touch no other record."""
    lines = list(foreign.lines(6_000))
    assert lines == list(foreign.lines(6_000))
    records = [json.loads(line) for line in lines]
    assert len({record["event_type"] for record in records}) == 205
    assert (
        len(
            {key for record in records for key in record["attributes"]}
            - {"_product_id", "_currency", "_store", "_transaction_id"}
        )
        == 500
    )
    assert 820 < sum(map(len, lines)) / len(lines) < 940
    texts = [value for record in records for value in record["attributes"].values() if isinstance(value, str)]
    assert 0.15 < sum('"' in text or "\\" in text for text in texts) / len(texts) < 0.3
    assert any(
        len(word) == 400
        for line in lines
        for word in line.decode().replace("}", ",").replace(":", ",").split(",")
    )
    assert len({tuple(record) for record in records}) > 5_000
    faulty = list(foreign.lines(6_000, faults=100))
    changed = [
        number for number, (line, other) in enumerate(zip(lines, faulty, strict=True)) if line != other
    ]
    assert changed == list(range(99, 6_000, 100))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in race.RACES if name != "layouts"])
def test_the_race_runs(name, tmp_path):
    """Each race runs to its end on few records, with the peers that are here."""
    command = [
        sys.executable,
        str(BENCHMARKS / "race.py"),
        "--records",
        "2000",
        "--rounds",
        "1",
        "--only",
        name,
    ]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if name == "convert":
        missing = [peer for peer in race.PEER_NAMES if not race._installed(peer)]
        for peer in race.PEER_NAMES:
            assert (f"convert: {peer} is not installed" in done.stdout) == (peer in missing)
        assert "2,000 rows" in done.stdout and "wrote the same" in done.stdout
    assert list(tmp_path.iterdir()) == []
