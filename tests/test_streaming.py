"""Rows to standard output: the same as in a directory, while records come in, and an account on standard error."""

import contextlib
import gzip
import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import translate
from translate.conversion import part

SAMPLES = Path(__file__).parent.parent / "sample_data"
ARCHIVE = SAMPLES / "mobile_analytics" / "archive_full.jsonl"
COMMAND = [sys.executable, "-m", "translate", "convert", "-", "--out", "-"]


def piped(given, *arguments, to="clickstream/events"):
    return subprocess.run([*COMMAND, "--to", to, *arguments], input=given, capture_output=True, check=False)


def rows_in(folder):
    return b"".join(part.read_bytes() for part in sorted((folder / "data").iterdir()))


@pytest.mark.parametrize(
    "to", ["clickstream/events", "clickstream/requests", "personalize/interactions", "pinpoint/event_stream"]
)
def test_the_rows_are_those_of_a_directory(tmp_path, to):
    translate.convert(ARCHIVE, to=to, out=tmp_path / "out")
    streamed = piped(ARCHIVE.read_bytes(), to=to)
    assert streamed.stdout == rows_in(tmp_path / "out")
    assert streamed.returncode == 0
    assert b"read                   2" in streamed.stderr


def test_compressed_both_ways(tmp_path):
    translate.convert(ARCHIVE, to="clickstream/events", out=tmp_path / "out")
    streamed = piped(gzip.compress(ARCHIVE.read_bytes()), "--compression", "gzip")
    assert gzip.decompress(streamed.stdout) == rows_in(tmp_path / "out")


def test_rejects_go_to_a_file_of_their_own(tmp_path):
    given = ARCHIVE.read_bytes() + b"{broken\n" + ARCHIVE.read_bytes()
    streamed = piped(given, "--rejects", str(tmp_path / "rejects.ndjson"))
    assert streamed.returncode == 1
    assert streamed.stdout.count(b"\n") == 4
    (reject,) = map(json.loads, (tmp_path / "rejects.ndjson").read_text().splitlines())
    assert (reject["file"], reject["line"], reject["raw"]) == ("-", 3, "{broken")
    assert (tmp_path / "rejects.ndjson").stat().st_mode & 0o777 == 0o600
    again = piped(given, "--rejects", str(tmp_path / "rejects.ndjson"))
    assert (again.returncode, again.stdout) == (2, b"")
    assert b"is there already" in again.stderr


def test_a_limit_is_one_of_all_sources(tmp_path):
    """However many files and layouts there are, rows end where those of a directory do."""
    given = [
        ARCHIVE,
        SAMPLES / "pinpoint" / "event_stream_full.jsonl",
        SAMPLES / "mobile_analytics" / "archive",
    ]
    translate.convert(given, to="clickstream", out=tmp_path / "out", limit=3)
    with (tmp_path / "rows").open("wb") as output:
        report = translate.stream(given, to="clickstream", output=output, limit=3)
    assert report["events"]["written"] == 3
    assert (tmp_path / "rows").read_bytes() == rows_in(tmp_path / "out")


def test_rejects_without_a_file_are_told():
    streamed = piped(b"{broken\n" + ARCHIVE.read_bytes(), "--json")
    assert streamed.returncode == 1
    assert json.loads(streamed.stderr)["rejects"] == {"bad_json": 1}


def test_a_stream_that_writes_nothing_says_so_first_and_why():
    streamed = piped(b"{broken\n" * 2, "--from", "mobile_analytics/archive")
    said = streamed.stderr.decode()
    assert (streamed.returncode, streamed.stdout) == (1, b"")
    assert said.startswith("nothing was written of 2 events; 2 rejected: bad_json\n")
    assert "not kept; --rejects FILE keeps them; the first: is not JSON" in said


def test_files_stream_too_and_a_table_has_one_head(tmp_path, monkeypatch):
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(ARCHIVE.read_bytes())
    monkeypatch.setattr("translate.archive.units.FILES_MAX", 1)
    with (tmp_path / "rows.csv").open("wb") as output:
        report = translate.stream(
            [tmp_path / f"{number}.json" for number in range(3)], to="personalize/interactions", output=output
        )
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert len(lines) == 1 + report["events"]["written"] == 4
    assert [line for line in lines if line.startswith("USER_ID")] == lines[:1]


def test_a_table_has_its_head_whichever_unit_writes_first(tmp_path, monkeypatch):
    """The first file's events are no interactions: the head goes before the first row all the same."""
    other = json.loads(ARCHIVE.read_text().splitlines()[0]) | {"event_type": "other"}
    (tmp_path / "0.json").write_text(json.dumps(other) + "\n", encoding="utf-8")
    (tmp_path / "1.json").write_bytes(ARCHIVE.read_bytes())
    monkeypatch.setattr("translate.archive.units.FILES_MAX", 1)
    with (tmp_path / "rows.csv").open("wb") as output:
        translate.stream(
            [tmp_path / "0.json", tmp_path / "1.json"], to="personalize/interactions", output=output
        )
    first, *rows = (tmp_path / "rows.csv").read_text().splitlines()
    assert first.startswith("USER_ID,")
    assert len(rows) == 1


def test_what_was_written_before_stands_before(tmp_path):
    with (tmp_path / "rows").open("wb") as output:
        output.write(b"before\n")
        translate.stream(ARCHIVE, to="clickstream/events", output=output)
        output.write(b"after\n")
    lines = (tmp_path / "rows").read_bytes().splitlines()
    assert (lines[0], lines[-1], len(lines)) == (b"before", b"after", 4)


def test_an_output_in_memory_is_refused():
    with pytest.raises(translate.UsageError, match="a file that is open for writing"):
        translate.stream(ARCHIVE, to="clickstream/events", output=io.BytesIO())


def test_rows_come_while_records_come_in():
    """A batch goes out before the input ends; what waits is bounded."""
    record = ARCHIVE.read_bytes()
    process = subprocess.Popen(
        [*COMMAND, "--to", "clickstream/events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
    feeding = threading.Thread(target=feed_until_it_is_gone, args=(process.stdin, record * 32))
    deadline = threading.Timer(60, process.kill)
    feeding.start()
    deadline.start()
    try:
        assert process.stdout.read(100).startswith(b'{"event_type"')
    finally:
        process.kill()
        process.wait()
        deadline.cancel()
        feeding.join()
        process.stdout.close()
        process.stdin.close()


def feed_until_it_is_gone(pipe, records):
    """Write without an end; it ends when nobody reads."""
    with contextlib.suppress(BrokenPipeError):
        while True:
            pipe.write(records)


def test_rows_lost_on_the_way_stop_the_stream(tmp_path, monkeypatch):
    """What goes out is counted again, as it is for a directory."""
    add = part.LinesPart.add
    monkeypatch.setattr(part.LinesPart, "add", lambda self, rows: add(self, rows[1:]))
    with (
        (tmp_path / "rows").open("wb") as output,
        pytest.raises(translate.ConservationError, match="2 events should be in"),
    ):
        translate.stream(ARCHIVE, to="clickstream/events", output=output)


def test_nobody_listens():
    with subprocess.Popen(
        [*COMMAND, "--to", "clickstream/events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        process.stdin.write(ARCHIVE.read_bytes() * 10)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--to", "hub"], "Parquet is no stream"),
        (["--to", "clickstream/events", "--dedupe"], "--dedupe cannot stream"),
        (["--to", "clickstream/events", "--census"], "--census cannot stream"),
        (["--to", "clickstream/events", "--sse", "AES256"], "--sse cannot stream"),
        (["--to", "clickstream/events", "--state", "x"], "--state cannot stream"),
        (["--to", "clickstream/events", "--compression", "zstd"], "zstd is written to files only"),
        (["--to", "clickstream/events", str(ARCHIVE)], "leave out the others"),
    ],
)
def test_what_cannot_stream_is_refused(arguments, complaint):
    done = subprocess.run(
        [*COMMAND, *arguments], input=ARCHIVE.read_bytes(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert complaint in done.stderr.decode()


@pytest.mark.parametrize("end", [gzip.compress(ARCHIVE.read_bytes())[:-20]], ids=["cut"])
def test_damage_is_told(end):
    done = piped(end)
    assert done.returncode == 3
    assert "write it to a file first" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_other_commands_take_standard_input():
    done = subprocess.run(
        [sys.executable, "-m", "translate", "inspect", "-", "--json"],
        input=ARCHIVE.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["events"]["read"] == 2


def test_findings_are_those_of_a_directory(tmp_path):
    """A request without an event is told, by whichever way its rows go out."""
    event = {"event_type": "e", "event_id": "i", "timestamp": 1487973802507, "app_id": "a"}
    lines = [json.dumps({"query": {"appId": "a"}, "body": body}) for body in ([event], [])]
    (tmp_path / "a.json").write_text("".join(f"{line}\n" for line in lines))
    asked = {"from_": "clickstream/requests", "to": "clickstream/events"}
    report = translate.convert(tmp_path / "a.json", out=tmp_path / "out", **asked)
    with (tmp_path / "rows").open("wb") as output:
        streamed = translate.stream(tmp_path / "a.json", output=output, **asked)
    assert "empty_requests" in {finding["code"] for finding in report["findings"]}
    assert streamed["findings"] == report["findings"]
