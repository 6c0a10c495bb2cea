"""A bucket as the target: parts appear complete or not at all, a stopped run goes on, and books lie apart from rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_file_sizes import SHEET
from test_lake import ARCHIVE
from test_stores import FILES, archive, on_disk, store, written  # noqa: F401  a fixture is found by its name

import translate
from translate.archive import units
from translate.conversion import bucket_output
from translate.errors import OutputError, UsageError
from translate.stores import transfers
from translate.stores.transfers import Encryption

CALL = {"to": "clickstream", "compression": "gzip"}


@pytest.fixture
def source(tmp_path, monkeypatch):
    """An archive on disk that makes several parts, one of its records damaged."""
    monkeypatch.setattr(units, "PART_BYTES", 2_500)
    objects = {**archive(), "awsma/2016/06/x.gz": b"%PDF-1.4 nothing"}
    return on_disk(tmp_path / "in", objects) / "awsma"


def held(store, prefix):  # noqa: F811
    return {
        key.removeprefix(prefix): body
        for key, body in store.buckets["empty"].items()
        if key.startswith(prefix)
    }


def test_rows_lie_alone(store, source, tmp_path):  # noqa: F811
    """Below the prefix lie the parts, byte for byte those of a folder; what no pipeline may take in lies beside it."""
    report = translate.convert(source, out="s3://empty/rows", **CALL)
    here = translate.convert(source, out=tmp_path / "here", **CALL)
    assert dict(report) == dict(here)
    parts = held(store, "rows/")
    assert parts == written(tmp_path / "here")
    assert len(parts) >= 5
    books = held(store, "rows-translate/")
    assert set(books) == {"report.json", "files.ndjson", "rejects.ndjson"}
    for name in ("files.ndjson", "rejects.ndjson", "report.json"):
        assert books[name] == (tmp_path / "here" / name).read_bytes()
    assert store.headers["empty/rows-translate/rejects.ndjson"]["x-amz-acl"] == "private"
    assert report.place("report.json") == "s3://empty/rows-translate/report.json"
    assert (report.first_reject() or {})["code"] == "not_recognised"


def test_it_is_called_again(store, source):  # noqa: F811
    """A finished run called again does nothing; another job is refused, as is a prefix where something lies."""
    translate.convert(source, out="s3://empty/rows/", **CALL)
    before = dict(store.buckets["empty"])
    assert translate.convert(source, out="s3://empty/rows", **CALL).finished_already
    assert store.buckets["empty"] == before
    with pytest.raises(UsageError, match="s3://empty/rows: is not empty"):
        translate.convert(source, out="s3://empty/rows", to="clickstream")
    with pytest.raises(UsageError, match="s3://old/awsma: is not empty; name a new or empty prefix"):
        translate.convert(source, out="s3://old/awsma", **CALL)
    store.buckets["empty"]["other-translate/x"] = b"x"
    with pytest.raises(UsageError, match="s3://empty/other: is not empty"):
        translate.convert(source, out="s3://empty/other", **CALL)


@pytest.mark.parametrize("state", [None, "s3://empty/books", "folder"])
def test_a_prefix_in_use_stays_refused(store, source, tmp_path, state):  # noqa: F811
    """A call that was refused leaves nothing that makes the same call look like the resumption of a run."""
    store.buckets["empty"]["rows/theirs"] = b"x"
    folder = tmp_path / "folder"
    for _ in range(2):
        with pytest.raises(UsageError, match="s3://empty/rows: is not empty"):
            translate.convert(
                source, out="s3://empty/rows", state=folder if state == "folder" else state, **CALL
            )
    assert store.buckets["empty"] == {"rows/theirs": b"x"}
    assert not folder.exists()


@pytest.mark.parametrize("state", [None, "s3://empty/books", "folder"])
def test_a_stopped_run_goes_on(store, source, tmp_path, state):  # noqa: F811
    """A run that the store stopped is resumed by the same call: what was uploaded stays, and the end is the same."""
    translate.convert(source, out="s3://empty/whole", **CALL)
    call = {
        **CALL,
        "out": "s3://empty/rows",
        "state": str(tmp_path / "folder") if state == "folder" else state,
    }
    store.faults = [{"verb": "PUT", "key": "part-00003", "do": {"status": 403, "code": "AccessDenied"}}]
    with pytest.raises(
        OutputError,
        match=r"s3://empty/rows: access denied: .* may not s3:PutObject on arn:aws:s3:::empty/rows/data/part-00003",
    ):
        translate.convert(source, **call)
    assert sorted(held(store, "rows/")) == [f"data/part-0000{number}.ndjson.gz" for number in range(3)]
    with pytest.raises(
        UsageError, match=r"s3://empty/rows: holds an unfinished run of another job .different: compression"
    ):
        translate.convert(source, **{**call, "compression": "none"})
    store.faults = []
    store.asked.clear()
    translate.convert(source, **call)
    assert held(store, "rows/") == held(store, "whole/")
    assert not [key for key in store.buckets["empty"] if "/.translate/" in key]
    assert not [call for call in store.asked if call.startswith("PUT empty/rows/data/part-00001")]


def test_a_part_that_was_changed_is_made_again(store, source):  # noqa: F811
    """A resumed run looks at size and tag of what it uploaded."""
    translate.convert(source, out="s3://empty/whole", **CALL)
    store.faults = [{"verb": "PUT", "key": "part-00003", "do": {"status": 403, "code": "AccessDenied"}}]
    with pytest.raises(OutputError):
        translate.convert(source, out="s3://empty/rows", **CALL)
    store.faults = []
    store.buckets["empty"]["rows/data/part-00001.ndjson.gz"] = b"other"
    with pytest.warns(UserWarning, match=r"part-00001.ndjson.gz: is not as it was written; it is made again"):
        translate.convert(source, out="s3://empty/rows", **CALL)
    assert held(store, "rows/") == held(store, "whole/")


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_a_tenth_of_the_calls_fails(store, source, fault):  # noqa: F811
    """What passes is survived."""
    translate.convert(source, out="s3://empty/whole", **CALL)
    store.faults = [
        {"verb": verb, "every": 10, "do": fault} for verb in ("GET", "LIST", "PUT", "POST", "DELETE")
    ]
    translate.convert(source, out="s3://empty/rows", **CALL)
    assert store.told["faults"] > 0
    assert held(store, "rows/") == held(store, "whole/")


def test_a_large_part_goes_in_pieces_or_not_at_all(store, source, monkeypatch):  # noqa: F811
    """A part in pieces appears when all are there; where one is refused nothing appears, and nothing is left."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", 1_000)
    translate.convert(source, out="s3://empty/whole", to="clickstream")
    assert store.told["POST"] >= 4
    store.faults = [
        {"verb": "PUT", "key": "part-00000", "every": 3, "do": {"status": 403, "code": "AccessDenied"}}
    ]
    with pytest.raises(OutputError, match="access denied"):
        translate.convert(source, out="s3://empty/rows", to="clickstream")
    assert held(store, "rows/") == {}
    assert store.uploads == {}
    store.faults = []
    translate.convert(source, out="s3://empty/rows", to="clickstream")
    assert held(store, "rows/") == held(store, "whole/")


@pytest.mark.parametrize("every", [1, 2], ids=["as it is begun", "as it is closed"])
def test_an_upload_whose_answer_is_lost_is_made_again(store, source, monkeypatch, every):  # noqa: F811
    """The store has done what was asked, and nobody heard of it: the object is there as a whole, and no upload stays open."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", 1_000)
    translate.convert(source, out="s3://empty/whole", to="clickstream")
    store.faults = [{"verb": "POST", "every": every, "do": "cut", "times": 1}]
    translate.convert(source, out="s3://empty/rows", to="clickstream")
    assert store.told["faults"] == 1
    assert held(store, "rows/") == held(store, "whole/")
    assert store.uploads == {}


@pytest.mark.parametrize("state", [None, "s3://empty/books"])
def test_what_a_killed_run_began_is_given_up(store, source, state):  # noqa: F811
    """A resumed run aborts the uploads that a killed one left open, of rows and of books."""
    store.faults = [{"verb": "PUT", "key": "part-00003", "do": {"status": 403, "code": "AccessDenied"}}]
    with pytest.raises(OutputError):
        translate.convert(source, out="s3://empty/rows", state=state, **CALL)
    store.faults = []
    store.uploads["left"] = ("empty", "rows/data/part-00003.ndjson.gz", {1: b"x"})
    books = state.rpartition("/")[2] if state else "rows-translate"
    store.uploads["books"] = ("empty", f"{books}/.translate/rejects-00003.ndjson", {1: b"x"})
    translate.convert(source, out="s3://empty/rows", state=state, **CALL)
    assert store.uploads == {}


def test_encryption_is_passed_on(store, source):  # noqa: F811
    """What is written is encrypted as asked, rows and books alike."""
    told = Encryption("aws:kms", "key-1").headers()
    translate.convert(source, out="s3://empty/rows", sse="aws:kms", sse_kms_key_id="key-1", **CALL)
    written_to = {name: headers for name, headers in store.headers.items() if name.startswith("empty/")}
    assert len(written_to) > 5
    assert all(told.items() <= headers.items() for headers in written_to.values())


@pytest.mark.parametrize("piece_bytes", [16 << 20, 10])
def test_a_bucket_without_acls(piece_bytes, store, source, monkeypatch):  # noqa: F811
    """Rejects that may have no ACL of their own are written without one: they are their bucket's owner's."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", piece_bytes)
    refused = {"status": 400, "code": "AccessControlListNotSupported"}
    store.faults = [{"verb": verb, "header": "x-amz-acl", "do": refused} for verb in ("PUT", "POST")]
    translate.convert(source, out="s3://empty/rows", **CALL)
    assert store.told["faults"] > 0
    assert b"not_recognised" in held(store, "rows-translate/")["rejects.ndjson"]
    assert "x-amz-acl" not in store.headers["empty/rows-translate/rejects.ndjson"]
    assert store.uploads == {}


def test_what_can_be_no_target(store, source, tmp_path):  # noqa: F811
    """A bucket without a prefix, books among the rows, and options of a bucket for a folder are refused before any work."""
    for call, message in (
        ({"out": "s3://empty"}, r"s3://empty: out= should name a bucket and a prefix"),
        ({"out": "s3://empty/rows", "state": "s3://empty/rows/books"}, "lies below out="),
        ({"out": tmp_path / "x", "state": "s3://empty/books"}, "are for out=.s3://"),
        ({"out": "s3://empty/rows", "sse": "aes"}, "sse=.aes.: is none .one of: AES256, aws:kms"),
        (
            {"out": "s3://empty/rows", "sse_kms_key_id": "key-1"},
            "sse_kms_key_id= names a key of KMS: say sse=.*aws:kms",
        ),
        ({"out": "s3://empty/rows", "sse": "AES256", "sse_kms_key_id": "key-1"}, "names a key of KMS"),
        ({"out": "s3a://empty/rows"}, "s3a://empty/rows: write it as s3://empty/rows"),
        ({"out": "gs://empty/rows"}, "gs://empty/rows: out= is a folder of this machine"),
    ):
        with pytest.raises(UsageError, match=message):
            translate.convert(source, **CALL, **call)
    with pytest.raises(OutputError, match='s3://nowhere/x-translate: there is no bucket "nowhere"'):
        translate.convert(source, out="s3://nowhere/x", **CALL)


def test_from_bucket_to_bucket(store):  # noqa: F811
    """Nothing of an archive in a bucket has to lie here: the command line takes it from one and puts it into another."""
    words = ["convert", "s3://old/awsma", "--to", "clickstream", "--out", "s3://empty/rows"]
    ended = subprocess.run(
        [sys.executable, "-m", "translate", *words], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "report: s3://empty/rows-translate/report.json" in ended.stdout
    rows = [json.loads(row) for body in held(store, "rows/").values() for row in body.splitlines()]
    assert len(rows) == 10 * FILES
    assert Path("s3:").exists() is False


@pytest.mark.parametrize("state", [None, "s3://old/books"])
@pytest.mark.parametrize("source", ["s3://old", "s3://old/*"])
def test_a_target_within_its_source_is_no_source(store, source, state):  # noqa: F811
    """The call that wrote there can be repeated, stopped or not; what another run wrote is a source like others."""
    call = {**CALL, "out": "s3://old/rows", "state": state, "from_": "mobile_analytics", "part_size": "2KB"}
    store.faults = [{"verb": "PUT", "key": "part-00003", "do": {"status": 403, "code": "AccessDenied"}}]
    with pytest.raises(OutputError):
        translate.convert(source, **call)
    store.faults = []
    for is_again in (False, True):
        report = translate.convert(source, **call)
        assert report["events"]["read"] == report["events"]["written"] == 10 * FILES
        assert report.finished_already is is_again


def test_books_without_rows_are_not_compared(store, source, tmp_path):  # noqa: F811
    """Where the rows lie in a bucket, the page to sign says so, and not that every figure differs; beside their books they are compared."""
    books = tmp_path / "books"
    translate.convert(source, to="clickstream", out="s3://empty/rows", state=books)
    found = translate.dossier(books, source=source)
    assert not found.compared
    assert any(f"copy them from their bucket to {books}/data" in sentence for sentence in found.verdict)
    found.write_html(tmp_path / "page.html")
    assert f"<code>{books}/data</code>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    for name, content in held(store, "rows/").items():
        file = books / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert translate.dossier(books, source=source).compared[str(books)].unexplained == 0


# -- rows that are put in order, and lakes ---------------------------------------------------------------------------

WHOLE = [{"to": "boxes", "sort": True}, {"to": "hub", "lake": True, "part_size": "20KB"}]
DENIED = {"status": 403, "code": "AccessDenied"}


@pytest.fixture
def laid_down(request, source, tmp_path):
    """A call whose data appear as a whole: rows in order in several files, or a lake of several days."""
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    (sheets / "boxes.toml").write_text(SHEET.format(files='order = "time"\nevents_max = 40'))
    given = {"source": source, "mappings": sheets} if "sort" in request.param else {"source": ARCHIVE}
    return {**request.param, **given}


@pytest.mark.parametrize("laid_down", WHOLE, indirect=True, ids=["sort", "lake"])
@pytest.mark.parametrize("workers", [None, 2])
def test_what_appears_as_a_whole_is_that_of_a_folder(store, tmp_path, laid_down, workers):  # noqa: F811
    """Sorted here, and put there byte for byte, whoever makes the parts; nothing of the run stays, here or there."""
    report = translate.convert(out="s3://empty/rows", workers=workers, **laid_down)
    here = translate.convert(out=tmp_path / "here", **laid_down)
    assert dict(report) == dict(here)
    assert held(store, "rows/") == written(tmp_path / "here")
    assert len(held(store, "rows/")) > 1
    assert not [key for key in store.buckets["empty"] if "/.translate" in key]
    assert translate.convert(out="s3://empty/rows", **laid_down).finished_already
    with pytest.raises(UsageError, match="s3://old/awsma: is not empty; name a new or empty prefix"):
        translate.convert(out="s3://old/awsma", **laid_down)


@pytest.mark.parametrize("laid_down", WHOLE, indirect=True, ids=["sort", "lake"])
@pytest.mark.parametrize(
    ("state", "key"), [(None, "rows/data/"), ("folder", "rows/data/"), (None, "report.json")]
)
def test_data_that_went_there_in_part_go_on(store, tmp_path, laid_down, state, key):  # noqa: F811
    """The store stops the run at its second file of data, or before the report: what lies there is not put there again."""
    folder = tmp_path / "folder"
    call = {**laid_down, "out": "s3://empty/rows", "state": str(folder) if state else None}
    translate.convert(out=tmp_path / "here", **laid_down)
    names = sorted(written(tmp_path / "here"))
    stopped = f"rows/{names[1]}" if key == "rows/data/" else key
    store.faults = [{"verb": "PUT", "key": stopped, "do": DENIED}]
    with pytest.raises(OutputError, match="access denied"):
        translate.convert(**call)
    there = names[:1] if key == "rows/data/" else names
    assert sorted(held(store, "rows/")) == there
    with pytest.raises(UsageError, match="holds an unfinished run of another job"):
        translate.convert(**{**call, "limit": 3})
    store.faults = []
    store.asked.clear()
    translate.convert(**call)
    assert held(store, "rows/") == written(tmp_path / "here")
    put = [asked for asked in store.asked if asked.startswith("PUT empty/rows/data/")]
    assert len(put) == len(names) - len(there)
    assert not [key for key in store.buckets["empty"] if "/.translate" in key]
    assert not (folder / ".translate").exists()
    assert not (folder / "data").exists()


@pytest.mark.parametrize("laid_down", WHOLE, indirect=True, ids=["sort", "lake"])
def test_data_that_were_changed_there_are_put_there_again(store, tmp_path, laid_down):  # noqa: F811
    """A resumed run looks at size and tag of them, too."""
    translate.convert(out=tmp_path / "here", **laid_down)
    first, second, *_ = sorted(written(tmp_path / "here"))
    store.faults = [{"verb": "PUT", "key": f"rows/{second}", "do": DENIED}]
    with pytest.raises(OutputError):
        translate.convert(out="s3://empty/rows", **laid_down)
    store.faults = []
    store.buckets["empty"][f"rows/{first}"] = b"other"
    translate.convert(out="s3://empty/rows", **laid_down)
    assert held(store, "rows/") == written(tmp_path / "here")


def test_a_large_file_in_order_goes_in_pieces_or_not_at_all(store, source, tmp_path, monkeypatch):  # noqa: F811
    """A file that is refused in the midst of its pieces does not appear, and nothing of it is left."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", 20_000)
    monkeypatch.setattr(bucket_output, "PIECE_BYTES", 10)  # of the state that is fetched again
    call = {"to": "amplitude", "sort": True}
    translate.convert(source, out=tmp_path / "here", **call)
    store.faults = [{"verb": "PUT", "key": "rows/data/part-00000", "every": 3, "do": DENIED}]
    with pytest.raises(OutputError, match="access denied"):
        translate.convert(source, out="s3://empty/rows", **call)
    assert held(store, "rows/") == {}
    assert store.uploads == {}
    store.faults = []
    translate.convert(source, out="s3://empty/rows", **call)
    assert held(store, "rows/") == written(tmp_path / "here")


def test_nobody_who_was_erased_stands_in_rows_in_order(store, tmp_path):  # noqa: F811
    """What was put in order is read again as it lies there, and what lay there before that is not."""
    call = {
        "source": ARCHIVE,
        "to": "amplitude",
        "sort": True,
        "erase": ["08b47da9-018e-5306-85fc-7ef2af9f3dc6"],
        "part_size": "300KB",
    }
    report = translate.convert(out="s3://empty/rows", **call)
    assert (report["erasure"]["met"], report["erasure"]["found"]) == (1, 0)
    assert report["erasure"] == translate.convert(out=tmp_path / "here", **call)["erasure"]


def test_a_lake_in_a_bucket_says_where_it_lies(store, source):  # noqa: F811
    """Its statements can be run as they are."""
    translate.convert(source, out="s3://empty/rows", to="hub", lake=True)
    statements = held(store, "rows-translate/")["schema.sql"].decode()
    assert "LOCATION 's3://empty/rows/data/'" in statements
    assert "'s3://empty/rows/data/day=${day}'" in statements
    assert "read_parquet('s3://empty/rows/data/*/*.parquet'" in statements
    assert "BUCKET" not in statements
