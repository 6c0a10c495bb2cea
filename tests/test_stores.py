"""Archives in a bucket: listed once, each object fetched once, faults of the store survived or told in our words."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import gzip
import hashlib
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future
from http.client import HTTPConnection, HTTPException, HTTPResponse
from itertools import pairwise
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from damaged import ARCHIVE, lines, record
from scripted import Say, Scripted
from waiting import wait_for

import translate
from translate.archive import copies, spool, units
from translate.archive.listing import SourceFiles
from translate.archive.sources import expect, find
from translate.archive.stored import SourceFile, chunks_of
from translate.errors import SourceError
from translate.stores import StoreRefusedError, transfers
from translate.stores import bucket as calls
from translate.stores.access import (
    Access,
    BucketAddress,
    Connections,
    Signer,
    StoreAnswer,
    encoded_path,
    encoded_query,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

from loopback import Store, served

FILES = 40


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of this machine with an archive, and the environment that leads there."""
    monkeypatch.setattr(calls, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(spool, "_spools", [])
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    held = Store({"old": archive(), "empty": {}})
    with served(held) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        yield held


def archive() -> dict[str, bytes]:
    return {
        f"awsma/2016/04/{1 + number // 24:02}/{number % 24:02}/part-{number:05}.gz": gzip.compress(
            "".join(f"{record(number * 10 + at)}\n" for at in range(10)).encode(), mtime=0
        )
        for number in range(FILES)
    }


def on_disk(folder: Path, objects: dict[str, bytes]) -> Path:
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    return folder


def written(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted((out / "data").rglob("*"))
        if path.is_file()
    }


def asked(store: Store) -> Counter[str]:
    return Counter({kind: count for kind, count in store.told.items() if kind != "faults"})


def test_an_object_beside_a_folder_of_its_name(store):
    """Whatever lies in a bucket, no two objects of a source have one name: their rejects could not be told apart."""
    store.buckets["met"] = dict.fromkeys(
        ("logs", "logs/logs", "logs/x", "a/logs", "a/logs/logs"), b"no record\n"
    )
    for source, names in (
        ("s3://met/logs", ["logs", "logs/logs", "logs/x"]),
        ("s3://met/a/logs/", ["logs", "logs/logs"]),
        ("s3://met/logs/logs", ["logs"]),
        ("s3://met", ["a/logs", "a/logs/logs", "logs", "logs/logs", "logs/x"]),
    ):
        assert [file.shown for file in find([source])] == names


def test_one_list_and_one_get_an_object(store, tmp_path):
    """A conversion lists once and fetches each object once, and writes what it writes from disk."""
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert report["events"]["written"] == 10 * FILES
    assert asked(store) == {"LIST": 1, "GET": FILES}
    assert max(store.asked.values()) == 1
    translate.convert(on_disk(tmp_path / "in", archive()) / "awsma", to="clickstream", out=tmp_path / "here")
    assert written(tmp_path / "out") == written(tmp_path / "here")
    told = [json.loads(line) for line in (tmp_path / "out/files.ndjson").read_text().splitlines()]
    here = [json.loads(line) for line in (tmp_path / "here/files.ndjson").read_text().splitlines()]
    assert all(file.pop("etag").startswith('"') for file in told)
    assert told == here


def test_a_list_of_many(store):
    """A thousand objects are one list, and what follows is another one."""
    store.synthetic, store.body = 2500, b"{}\n"
    assert len(find(["s3://synthetic"])) == 2500
    assert asked(store) == {"LIST": 3}


@pytest.mark.parametrize("fault", ["503", "500", "cut", "reset"])
def test_what_passes_is_survived(store, tmp_path, fault):
    """Where a tenth of the calls fails, the result is the same, and repetitions are counted apart."""
    store.faults = [{"verb": verb, "every": 10, "do": fault} for verb in ("GET", "LIST")]
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert report["events"]["written"] == 10 * FILES
    assert report["events"]["rejected"] == 0
    counted = spool.spool().bucket("old").calls
    assert counted["GET"] == FILES
    assert counted["repeated"] == store.told["faults"] > 0


def test_a_large_object_comes_in_ranges(store, tmp_path, monkeypatch):
    """What is larger than a range comes in ranges, each of them fetched once."""
    monkeypatch.setattr(spool, "RANGE_BYTES", 1 << 20)
    body = (
        b"".join(lines(20_000, 20_000))[: 5 << 19]
        if isinstance(lines(1), list)
        else (lines(1) * 20_000)[: 5 << 19]
    )
    store.buckets["old"] = {"large/a.json": body}
    (file,) = find(["s3://old/large"])
    assert b"".join(chunks_of(file)) == body
    assert asked(store) == {"LIST": 1, "GET": 3}
    assert max(store.asked.values()) == 1


def test_what_is_expected_comes_once_in_little_room(store, monkeypatch):
    """Copies go when room is needed; whoever reads in order has each object fetched once all the same."""
    monkeypatch.setattr(spool, "KEPT_BYTES", 2_000)
    files = find(["s3://old/awsma"])
    for file in files:
        assert b"".join(chunks_of(file)) == archive()[file.location.removeprefix("s3://old/")]
    assert asked(store)["GET"] == FILES
    held = spool.spool()
    assert sum(copy.bytes for copy in held._held.values()) <= 2_000


def test_many_small_copies_are_not_held_in_memory(store, monkeypatch):
    """However little they hold, only so many of them wait in memory; the others lie on disk, and are read from there."""
    monkeypatch.setattr(copies, "SEGMENT_FILES", 7)
    files = find(["s3://old/awsma"])
    for _ in range(2):
        for file in files:
            assert b"".join(chunks_of(file)) == archive()[file.location.removeprefix("s3://old/")]
    assert asked(store)["GET"] == FILES
    assert len(spool.spool()._segments._open) <= 7


def test_objects_beyond_the_room_are_looked_at_as_they_are_read(store, tmp_path, monkeypatch):
    """What cannot be kept from the look to the reading is fetched once, and what is no record of it is refused as ever."""
    store.buckets["old"]["awsma/2016/05/x.gz"] = b"%PDF-1.4 nothing"
    monkeypatch.setattr(units, "PART_BYTES", 750)
    monkeypatch.setattr(spool, "KEPT_BYTES", 2_000)
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert [call for call, count in store.asked.items() if count > 1] == []
    assert asked(store) == {"LIST": 1, "GET": FILES + 1}
    assert (report["events"]["written"], report["rejects"]) == (10 * FILES, {"not_recognised": 1})


def test_what_was_fetched_is_not_searched_for(store, tmp_path, monkeypatch):
    """An object that is looked at and then read has its place found once: among a million that takes its time."""
    searched = []
    place_of = spool.Spool._place_of
    monkeypatch.setattr(
        spool.Spool, "_place_of", lambda held, file: searched.append(file) or place_of(held, file)
    )
    monkeypatch.setattr(spool, "KEPT_FILES", 20)
    monkeypatch.setattr(units, "FILES_MAX", 10)
    translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert asked(store) == {"LIST": 1, "GET": FILES}
    assert len(searched) < FILES


@pytest.mark.parametrize("ahead", [1, 3, 64])
@pytest.mark.parametrize("kept", [8, 20])  # a unit at least
def test_what_was_looked_at_is_not_fetched_again(store, tmp_path, monkeypatch, kept, ahead):
    """However few copies have room, and however few come ahead, no object is fetched a second time for the reading."""
    monkeypatch.setattr(spool, "KEPT_FILES", kept)
    monkeypatch.setattr(spool, "AHEAD_FILES", ahead)
    monkeypatch.setattr(units, "FILES_MAX", 7)
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert report["events"]["written"] == 10 * FILES
    assert [call for call, count in store.asked.items() if count > 1] == []
    assert asked(store) == {"LIST": 1, "GET": FILES}


def test_as_many_come_ahead_to_the_end(store, monkeypatch):
    """What came ahead of the look leaves room for others: the last objects come ahead of the reading like the first."""
    monkeypatch.setattr(spool, "KEPT_FILES", 20)
    monkeypatch.setattr(spool, "AHEAD_FILES", 3)
    files = find(["s3://old/awsma"])
    for file in files[:20]:
        assert b"".join(chunks_of(file))
    expect(files)
    for file in files[:-2]:
        assert b"".join(chunks_of(file))
        assert spool.key_of(files[-1]) in spool.spool()._coming or file != files[-3]


def test_another_layout_beyond_the_room_is_told(store, tmp_path, monkeypatch):
    """A run that finds another layout than it was made for stops, and says how to go on."""
    other = json.dumps({**json.loads(record(1)), "awsAccountId": "1"}).encode()
    store.buckets["old"]["awsma/2016/05/x.json"] = other
    monkeypatch.setattr(spool, "KEPT_BYTES", 2_000)
    with pytest.raises(SourceError, match=r"x.json: is pinpoint/event_stream.*one by one with from_="):
        translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")


@pytest.mark.parametrize(
    "tag",
    ['"d41d8cd98f00b204e9800998ecf8427e"', '"00000000000000000000000000000001"', '"D41D8CD98F00B204E9800998ECF8427E"',
     '"d41d8cd98f00b204e9800998ecf8427e-3"', "d41d8cd98f00b204e9800998ecf8427e", "", '"x"'],
)  # fmt: skip
def test_a_tag_is_told_as_it_was(tag):
    """However short it is held, a tag is what the store said."""
    (file,) = SourceFiles([SourceFile("s3://old/a/b.gz", "b.gz", 1, tag)])
    assert (file.tag, pickle.loads(pickle.dumps(file)), file.modified) == (tag, file, 0)


def test_odd_keys(store, tmp_path):
    """Keys are any text: empty segments, blanks, signs and scripts."""
    keys = ["/a//b.json", "a b+c%20.json", "ü/日本.json", "x//x.json", "q?=&;.json", "c\x01d.json"]
    store.buckets["old"] = {key: lines(number + 1) for number, key in enumerate(keys)}
    report = translate.convert("s3://old", to=ARCHIVE, out=tmp_path / "out")
    assert report["events"]["written"] == sum(range(1, len(keys) + 1))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("s3://old", ["a[1].json", "d[1]/c.json", "d1/b.json", "d2/", "d2/e/f.json"]),
        ("s3://old/*", ["a[1].json", "d[1]/c.json", "d1/b.json", "d2/", "d2/e/f.json"]),
        ("s3://old/a[1].json", ["a[1].json"]),
        ("s3://old/d[1]", ["d[1]/c.json", "d1/b.json"]),
        ("s3://old/d[12]/", ["d1/b.json", "d2/", "d2/e/f.json"]),
        ("s3://old/d2/", ["d2/", "e/f.json"]),
        ("s3://old/d?/e", ["d2/e/f.json"]),
        ("s3://old/.state/*", ["unit.json"]),
        ("s3://old/d*/.h*", ["d2/.hidden/a.json"]),
    ],
)
def test_what_a_name_in_a_bucket_takes(store, source, names):
    """An object, or a folder, is taken by its name and by a glob as on disk; what is hidden only where it is named, and what has bytes always."""
    keys = (
        "a[1].json", "d[1]/c.json", "d1/b.json", "d2/e/f.json", "d2/", ".state/unit.json", "d2/.hidden/a.json",
    )  # fmt: skip
    store.buckets["old"] = {**dict.fromkeys(keys, lines(1)), "folder/": b""}
    assert [file.shown for file in find([source])] == sorted(names)


def test_a_list_that_breaks_off_is_told(store, monkeypatch):
    """A store that knows no lists of the second version says that there is more, and not how to ask for it."""
    begun = EMPTY_LIST.replace(b"</ListBucketResult>", b"<IsTruncated>true</IsTruncated></ListBucketResult>")
    with Scripted(Say(200, begun)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        with pytest.raises(SourceError, match="s3://old: the store breaks its list off"):
            find(["s3://old"])


@pytest.mark.parametrize("said", [Say(200, b"abcdefgh"), Say(206, b"abc")], ids=["whole", "short"])
def test_a_range_that_is_none_is_told(said, store, tmp_path, monkeypatch):
    """A store that answers with other bytes than were asked for would give a file that is none."""
    with Scripted(said, said) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        with pytest.raises(StoreRefusedError, match="answers with other bytes than those asked for"):
            transfers.bring(calls.Bucket("old", Access()), calls.Listed("a", 8, ""), tmp_path / "a", 4)


def test_a_full_disk_is_not_the_network(store, tmp_path, monkeypatch):
    """What cannot be laid down here is told as that, at once."""
    store.buckets["old"] = {"awsma/large.json": b" " * (spool.SMALL_BYTES + 1)}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(
        SourceError, match=r"large.json: .*cannot be written \(No space left on device\).*TMPDIR"
    ):
        list(chunks_of(find(["s3://old/awsma"])[0]))
    assert store.told["GET"] == 1


def test_an_object_that_is_gone(store, tmp_path):
    """One object that cannot be read is one reject, as a file on disk is."""
    gone = next(iter(archive()))
    store.faults = [{"verb": "GET", "key": gone, "do": {"status": 404, "code": "NoSuchKey"}}]
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert report["rejects"] == {"unreadable_file": 1}
    assert report["events"]["written"] == 10 * (FILES - 1)


def test_a_resumed_run_notices_a_changed_object(store, tmp_path):
    """An object with another tag is another job; a finished run is known by the tags, and fetches nothing."""
    translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    store.told.clear()
    again = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out", from_=ARCHIVE)
    assert again.finished_already
    assert asked(store)["GET"] <= 1
    key = next(iter(archive()))
    store.buckets["old"][key] = store.buckets["old"][key][:-1] + b"\1"
    with pytest.raises(translate.UsageError, match="not empty"):
        translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")


def test_an_object_replaced_under_the_run(store, tmp_path):
    """What was replaced after it was listed ends the run: the plan was made of other bytes."""
    files = find(["s3://old/awsma"])
    key = files[-1].location.removeprefix("s3://old/")
    store.buckets["old"][key] = b"other"
    with pytest.raises(SourceError, match=f"{key}: was replaced by other bytes after it was listed"):
        list(chunks_of(files[-1]))


@pytest.mark.parametrize(
    ("verb", "fault", "message"),
    [
        ("LIST", {"status": 403, "code": "AccessDenied"}, "access denied: the access key AKIDEXAMPLE may not s3:ListBucket on arn:aws:s3:::old"),
        ("GET", {"status": 403, "code": "AccessDenied"}, "may not s3:GetObject on arn:aws:s3:::old/awsma/"),
        ("LIST", {"status": 404, "code": "NoSuchBucket"}, 'there is no bucket "old"'),
        ("LIST", {"status": 301, "code": "PermanentRedirect", "region": "eu-west-1"}, "wrong region.*not in us-east-1 but in eu-west-1: say AWS_DEFAULT_REGION=eu-west-1"),
        ("LIST", {"status": 503, "code": "SlowDown"}, "asks to slow down .throttled., also in the last of 8 attempts"),
        ("GET", {"status": 503, "code": "SlowDown"}, "asks to slow down"),
        ("LIST", {"status": 400, "code": "ExpiredToken"}, "credentials have expired"),
        ("LIST", {"status": 403, "code": "InvalidAccessKeyId"}, "access key id does not exist"),
        ("LIST", {"status": 403, "code": "SignatureDoesNotMatch"}, "the secret key is not that of"),
        ("LIST", {"status": 400, "code": "SomethingNew", "message": "so it is"}, "refuses to s3:ListBucket: SomethingNew so it is"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.get("code") if isinstance(given, dict) else "",
)  # fmt: skip
def test_refusals_in_our_words(store, tmp_path, verb, fault, message):
    """What a store refuses is told with what is missing and the way out."""
    store.faults = [{"verb": verb, "do": fault}]
    with pytest.raises(SourceError, match=message):
        translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("code", ["SlowDown", "ExpiredToken"])
def test_a_store_that_fails_under_the_work_ends_it(store, tmp_path, code):
    """What is wrong with the whole store is no reject of one object, wherever it shows; the same call resumes."""
    last = max(archive())
    status = 503 if code == "SlowDown" else 400
    store.faults = [{"verb": "GET", "key": last, "do": {"status": status, "code": code}}]
    call = {"to": "clickstream", "from_": ARCHIVE, "out": tmp_path / "out"}
    with pytest.raises(SourceError, match=f"{last}: .* repeat the call: it resumes"):
        translate.convert("s3://old/awsma", **call)
    store.faults = []
    assert translate.convert("s3://old/awsma", **call)["events"]["written"] == 10 * FILES


def test_a_bucket_in_another_region_is_found(store, monkeypatch):
    """What S3 answers names the region, and the calls after it are signed for that; at an endpoint of somebody's own it is told."""
    address = os.environ["AWS_ENDPOINT_URL_S3"]
    asked_for = []

    def place(self, bucket, region=None):
        asked_for.append(region)
        return BucketAddress(address, f"/{bucket}/", region or "us-east-1", "s3", is_own=False)

    monkeypatch.setattr(Access, "place", place)
    told = {"status": 301, "code": "PermanentRedirect", "region": "eu-west-1"}
    store.faults = [{"verb": "LIST", "times": 1, "do": told}]
    assert len(find(["s3://old/awsma"])) == FILES
    assert asked_for == [None, "eu-west-1"]
    assert "/eu-west-1/s3/aws4_request" in store.headers["LIST"]["authorization"]


def elsewhere(store, monkeypatch, *regions):
    """Have calls of each region but the last one sent to the next."""
    address = os.environ["AWS_ENDPOINT_URL_S3"]
    monkeypatch.setattr(
        Access,
        "place",
        lambda self, bucket, region=None: BucketAddress(
            address, f"/{bucket}/", region or "us-east-1", "s3", is_own=False
        ),
    )
    store.faults = [
        {"verb": "GET", "times": 2, "do": {"status": 301, "code": "PermanentRedirect", "region": region}}
        for region in regions
    ]


def test_pieces_side_by_side_find_another_region(store, monkeypatch, tmp_path):
    """Who is sent to where another one has turned already goes there, too."""
    elsewhere(store, monkeypatch, "eu-west-1")
    ask, both = Connections.ask, threading.Barrier(2)

    def ask_together(self, verb, target, headers, body=None):
        answer = ask(self, verb, target, headers, body)
        if "/us-east-1/" in headers["Authorization"]:
            both.wait(10)
        return answer

    monkeypatch.setattr(Connections, "ask", ask_together)
    store.buckets["old"] = {"a": b"abcdefgh"}
    transfers.bring(calls.Bucket("old", Access()), calls.Listed("a", 8, ""), tmp_path / "a", 4)
    assert (tmp_path / "a").read_bytes() == b"abcdefgh"


def test_regions_that_send_to_each_other_are_told(store, monkeypatch):
    """Nobody is sent to and fro without end."""
    elsewhere(store, monkeypatch, *["eu-west-1", "us-east-1"] * 8)
    for fault in store.faults:
        fault["times"] = 1
    with pytest.raises(StoreRefusedError, match="wrong region"):
        calls.Bucket("old", Access()).read("a")


EMPTY_LIST = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>'
ENDPOINT = b"<Error><Code>%s</Code><Message>Send it there.</Message><Endpoint>%s</Endpoint></Error>"


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (301, ENDPOINT % (b"PermanentRedirect", b"old.s3.eu-west-1.amazonaws.com"), ()),
        (307, ENDPOINT % (b"TemporaryRedirect", b"old.s3-eu-west-1.amazonaws.com"), ()),
        (307, b"", (("Location", "https://old.s3.dualstack.eu-west-1.amazonaws.com/?list-type=2"),)),
        (302, b"", (("Location", "https://s3-eu-west-1.amazonaws.com/old/"),)),
        (301, b"", (("x-amz-bucket-region", "eu-west-1"),)),
    ],
)
def test_a_place_that_is_named_tells_the_region(status, body, headers, store, monkeypatch):
    """A redirect that names no region is followed to that of the place that it names."""
    with Scripted(Say(status, body, headers), Say(200, EMPTY_LIST)) as server:

        def place(self, bucket, region=None):
            return BucketAddress(server.url, f"/{bucket}/", region or "us-east-1", "s3", is_own=False)

        monkeypatch.setattr(Access, "place", place)
        with pytest.raises(SourceError, match="s3://old: nothing there"):
            find(["s3://old"])
    regions = [seen.headers["authorization"].split("/")[2] for seen in server.seen]
    assert regions == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    ("status", "body", "headers", "message"),
    [
        (301, b"", (), r'wrong region: the bucket "old" is not in us-east-1; say AWS_DEFAULT_REGION .aws s3api get-bucket-location --bucket old tells'),
        (307, b"", (("Location", "http://10.0.0.1:9000/old/"),), r"is not in us-east-1, it says, but at http://10.0.0.1:9000/old/: say AWS_ENDPOINT_URL"),
        (301, ENDPOINT % (b"PermanentRedirect", b"old.s3.eu-west-1.amazonaws.com"), (), "not in us-east-1 but in eu-west-1: say AWS_DEFAULT_REGION=eu-west-1"),
        (400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>", (), "but in eu-west-1: say"),
    ],
)  # fmt: skip
def test_a_redirect_that_leads_nowhere_is_told(status, body, headers, message, store, monkeypatch):
    """At an endpoint that somebody named no other one is asked: what it said is told, with the way out."""
    with Scripted(Say(status, body, headers)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        with pytest.raises(SourceError, match=message):
            find(["s3://old"])
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://s3.example:443", "s3.example"),
        ("http://127.0.0.1:443", "127.0.0.1:443"),
        ("http://a.example", "a.example"),
        ("http://user:word@127.0.0.1:9000", "127.0.0.1:9000"),
        ("http://localhost:", "localhost"),
        ("https://[::1]:443", "[::1]"),
    ],
)
def test_a_usual_port_is_not_signed_and_nothing_but_a_host_and_another_port(address, host):
    """A call is signed for the host that its headers name."""
    assert Connections(address).host == host


@pytest.mark.parametrize("token", [None, "a-token"])
def test_signatures_are_those_of_botocore(monkeypatch, token):
    """A call is signed as botocore signs it, odd characters and all."""
    key, query = "/odd//ü b+c%20?=&;~.json", {"list-type": "2", "prefix": "a b/ü+", "uploads": ""}
    address, path, asked = "http://127.0.0.1:9", encoded_path(f"/old/{key}"), encoded_query(query)
    signed = Signer("AKIDEXAMPLE", "an-example", token, "eu-west-1", "s3").sign(
        "PUT",
        "127.0.0.1:9",
        path,
        asked,
        {"x-amz-acl": "private", "Range": "bytes=0-9"},
        hashlib.sha256(b"x").hexdigest(),
    )
    request = AWSRequest(
        "PUT",
        f"{address}{path}?{asked}",
        {"x-amz-acl": "private", "Range": "bytes=0-9", "X-Amz-Date": signed["x-amz-date"]},
        b"x",
    )
    request.context["timestamp"] = signed["x-amz-date"]
    request.context["payload_signing_enabled"] = True
    moment = dt.datetime.strptime(signed["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None))
    S3SigV4Auth(Credentials("AKIDEXAMPLE", "an-example", token), "s3", "eu-west-1").add_auth(request)
    assert signed["Authorization"] == request.headers["Authorization"]


def test_no_credentials(store, monkeypatch):
    """Without credentials it says where they were looked for; whoever does not sign needs none."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(
        SourceError,
        match=r'no AWS credentials were found .looked for: AWS_ACCESS_KEY_ID in the environment, the profile "default"',
    ):
        find(["s3://old/awsma"])


def test_an_unreachable_store(store, monkeypatch):
    """A store that nobody reaches is told with its address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match=r"http://127.0.0.1:9 cannot be reached"):
        find(["s3://old/awsma"])


@pytest.mark.parametrize("here", ["bucket", "disk"])
def test_folders_are_trusted_only_where_that_is_asked(store, tmp_path, here):
    """Hourly folders far from the times asked for are left out, listed and counted, and never fetched; else all is read."""
    source = "s3://old/awsma" if here == "bucket" else str(on_disk(tmp_path / "in", archive()) / "awsma")
    call = {
        "to": "clickstream",
        "from_": ARCHIVE,
        "since": "2016-04-02T02:00:00Z",
        "until": "2016-04-02T05:00:00Z",
    }
    report = translate.convert(source, out=tmp_path / "near", trust_folders=1 / 24, **call)
    told = report["trusted_folders"]
    assert (report["events"]["read"], told["files"]) == (50, FILES - 5)
    assert told["folders"][0] == {"folder": "2016/04/01/00", "files": 1}
    assert sum(call.startswith("GET") for call in store.asked) == (5 if here == "bucket" else 0)
    report = translate.convert(source, out=tmp_path / "all", **call)
    assert report["events"]["read"] == 10 * FILES


def test_folders_are_trusted_for_times_alone(store, tmp_path):
    """Without times there is nothing that a folder could be far from; where all are far, it says so."""
    with pytest.raises(translate.UsageError, match="trust_folders= needs since= or until="):
        translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out", trust_folders=1)
    with pytest.raises(SourceError, match="each of the 40 files lies in a folder that is further away"):
        translate.convert(
            "s3://old/awsma", to="clickstream", out=tmp_path / "out", trust_folders=1, since="2020-01-01"
        )


@pytest.mark.parametrize("folder", ["9999/12/31", "0001/01/01/00"])
def test_folders_of_the_calendars_ends(tmp_path, folder):
    """A folder of the last day, or of the first hour, is as far as any other."""
    source = on_disk(
        tmp_path / "in", {f"{folder}/a.json": record(1).encode(), "2017/02/24/b.json": record(2).encode()}
    )
    report = translate.convert(
        source, to=ARCHIVE, out=tmp_path / "out", since="2017-02-01", until="2017-03-01", trust_folders=2
    )
    assert report["trusted_folders"]["folders"] == [{"folder": folder, "files": 1}]


def test_the_innermost_folder_tells_the_hour(tmp_path):
    """The day on which somebody copied an archive is not that of its events."""
    source = on_disk(tmp_path / "2020-05-01" / "year=2020/month=05/day=01", {
        "2017/02/24/10/a.json": record(1).encode(), "2016/02/24/10/b.json": record(2).encode(),
    })  # fmt: skip
    report = translate.convert(
        source, to=ARCHIVE, out=tmp_path / "out", since="2017-02-01", until="2017-03-01", trust_folders=2
    )
    assert report["trusted_folders"]["folders"] == [{"folder": "2016/02/24/10", "files": 1}]


def test_who_asks(store, tmp_path):
    """Options as the AWS CLI spells them lead to the store; what is asked carries who pays."""
    words = [
        "--endpoint-url",
        os.environ.pop("AWS_ENDPOINT_URL_S3"),
        "--request-payer",
        "requester",
        "--no-sign-request",
    ]
    words += ["--region", "eu-west-1"]
    ended = subprocess.run(
        [sys.executable, "-m", "translate", "convert", "s3://old/awsma/**/*.gz", "--to", "clickstream", "--out", tmp_path / "out", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert all(headers.get("x-amz-request-payer") == "requester" for headers in store.headers.values())
    assert "authorization" not in store.headers["GET"]


@pytest.mark.parametrize(
    ("bytes_", "options"), [(0, ()), (0, ("--workers", "2")), (spool.RANGE_BYTES + 1, ())], ids=str
)
def test_whoever_interrupts_waits_for_no_answer(store, tmp_path, bytes_, options):
    """What is under way from a store that answers no more holds nobody back, and leaves nothing in the temporary folder."""
    if bytes_:
        store.buckets["old"] = {"awsma/large.json": b" " * bytes_}
    (tmp_path / "staging").mkdir()
    store.faults = [{"verb": "GET", "every": 2, "do": "hold"}]
    call = [sys.executable, "-m", "translate", "convert", "s3://old/awsma", "--to", "clickstream"]
    call += ["--out", str(tmp_path / "out"), "--from", ARCHIVE, "--part-size", "1KB", *options]
    with subprocess.Popen(
        call, env={**os.environ, "TMPDIR": str(tmp_path / "staging")}, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            wait_for(lambda: store.told["faults"], "a call that is not answered")
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=20)  # much less than a call waits for its answer
        finally:
            run.kill()
    assert run.returncode == 130, said
    assert "interrupted" in said
    assert [*(tmp_path / "staging").iterdir()] == []


def test_whoever_interrupts_an_upload_waits_for_no_piece(store, tmp_path):
    """An upload in pieces to a store that answers no more is given up at once."""
    (tmp_path / "large").write_bytes(b"x" * 100)
    uploads = (
        "from pathlib import Path; from translate.stores import access, bucket, transfers; transfers.PIECE_BYTES = 10; "
        f"transfers.upload(bucket.Bucket('empty', access.Access()), 'k', Path({str(tmp_path / 'large')!r}), {{}})"
    )
    store.faults = [{"verb": "PUT", "do": "hold"}]
    with subprocess.Popen([sys.executable, "-c", uploads], stderr=subprocess.PIPE, text=True) as run:
        try:
            wait_for(lambda: store.told["faults"], "a piece that is not answered")
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=20)
        finally:
            run.kill()
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert store.uploads == {}


def test_what_a_killed_process_had_on_its_way_goes(tmp_path, monkeypatch):
    """Whoever comes next removes it, and nothing of those who live; where there are no locks nobody is taken for dead."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    class Owner:
        """Whoever needs a folder."""

    def none_here(*_):
        raise OSError(errno.ENOLCK, "no locks")

    dies = "import os; from translate.archive import copies; (copies.folder_of(os) / 'rows').touch(); os._exit(1)"
    subprocess.run([sys.executable, "-c", dies], check=False)
    (left,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(copies.fcntl, "flock", none_here)
        unlocked = Owner()
        folder = copies.folder_of(unlocked)
        assert {*tmp_path.iterdir()} == {left, folder}
        del unlocked
        assert [*tmp_path.iterdir()] == [left]
    one, other = Owner(), Owner()
    living = {copies.folder_of(one), copies.folder_of(other)}
    assert {*tmp_path.iterdir()} == living
    del one
    assert {*tmp_path.iterdir()} < living
    del other
    assert [*tmp_path.iterdir()] == []


def test_a_folder_for_what_is_on_its_way_may_look_like_somebody_elses(tmp_path, monkeypatch):
    """File systems of other machines tell other owners: it is taken all the same, and not made again and again."""

    class Owner:
        """Whoever needs a folder."""

    made = iter([tmp_path / "only"])
    (tmp_path / "only").mkdir()
    monkeypatch.setattr(copies.tempfile, "mkdtemp", lambda **_: next(made))
    monkeypatch.setattr(copies.os, "geteuid", lambda: os.getuid() + 1)
    owner = Owner()
    assert copies.folder_of(owner) == tmp_path / "only"


@pytest.mark.parametrize(("seconds", "together"), [(0.0, 1), (0.03, 16)])
def test_as_many_come_side_by_side_as_who_reads_waits_for(seconds, together, monkeypatch):
    """A store that answers at once is asked by one thread, a far one by as many as may be."""
    asking, most = set(), []

    def fetch(self, key, tag, take, first=0, count=None):
        if self.name != "mine":  # what another test has left under way
            return
        asking.add(key)
        most.append(len(asking))
        time.sleep(seconds)
        asking.discard(key)
        take(0, b"a")

    monkeypatch.setattr(calls.Bucket, "fetch", fetch)
    files = SourceFiles(SourceFile(f"s3://mine/{number:03}", f"{number:03}", 1) for number in range(300))
    spooled = spool.Spool()
    spooled.expect(files)
    for file in files:
        assert spooled.content_of(file) == b"a"
        time.sleep(0.001)
    assert (
        max(most) == max(most[: 3 * spool.AHEAD_FILES]) == together
    )  # a pause of the machine costs some windows


def test_no_more_come_side_by_side_than_come_sooner(monkeypatch):
    """A store that serves one after the other is not asked by more and more threads, which would only hinder each other."""
    served, asking, most = threading.Lock(), set(), []

    def fetch(self, key, tag, take, first=0, count=None):
        if self.name != "mine":  # what another test has left under way
            return
        asking.add(key)
        most.append(len(asking))
        with served:
            time.sleep(0.003)
        asking.discard(key)
        take(0, b"a")

    monkeypatch.setattr(calls.Bucket, "fetch", fetch)
    monkeypatch.setattr(transfers, "WINDOW_SECONDS", 0.3)  # that no pause of this machine's makes up much of
    files = SourceFiles(SourceFile(f"s3://mine/{number:03}", f"{number:03}", 1) for number in range(500))
    spooled = spool.Spool()
    spooled.expect(files)
    assert {spooled.content_of(file) for file in files} == {b"a"}
    assert max(most) == transfers.GROWTH
    assert max(most[-spool.AHEAD_FILES :]) == 1


def test_work_between_waits_says_nothing_of_who_brings(monkeypatch):
    """What came while who reads was busy with something else is not compared, and a crew begins anew."""
    clock = iter([0.0, 0.1, 0.2, 0.3, 2.3, 2.4]).__next__
    monkeypatch.setattr(transfers.time, "monotonic", clock)
    carriers = transfers.Carriers[None]()
    for begin in (-0.1, 0.0, 0.1):
        carriers._begun = 12
        carriers.waited_since(begin)
    assert carriers._width.together == transfers.GROWTH
    for begin in (0.2, 2.2):
        carriers._begun = 12
        carriers.waited_since(begin)
    assert carriers._width.together == transfers.GROWTH
    carriers.work_for(2)
    carriers._begun = 1
    carriers.waited_since(2.3)
    assert carriers._width.together == 2 * transfers.SIDE_BY_SIDE


def test_what_comes_as_the_nap_ends_is_no_error():
    """A wait that gives up just as what it waits for comes gives that."""

    class Late(Future[str]):
        asked = 0

        def done(self):
            self.asked += 1
            if self.asked == 2:
                self.set_result("come")
            return super().done()

    assert transfers.brought(Late()) == "come"


def test_how_many_come_side_by_side_is_given_up_where_no_more_come():
    """More that bring no more, or make all wait less but bring no more, are fewer again, and are tried again later and later."""
    width, tried = transfers._Width(1), []
    for window in range(100):
        width.judge(100.0, is_slow=True)
        if width.together > 1:
            tried.append(window)
    gaps = [later - first for first, later in pairwise(tried)]
    assert gaps == [transfers.PATIENCE * 2**again + transfers.SLOW_WINDOWS + 1 for again in range(len(gaps))]
    assert len(tried) == 4
    width = transfers._Width(1)
    for is_slow in (
        True,
        True,
        False,
    ):  # those that were tried kept who reads from waiting, and brought no more
        together = width.together
        width.judge(100.0, is_slow=is_slow)
    assert (together, width.together) == (transfers.GROWTH, 1)


def test_more_side_by_side_are_kept_where_more_come():
    """What brings more stays, and one slow window alone is a pause of the machine."""
    width = transfers._Width(1)
    for is_slow in (True, False, True, False):
        width.judge(100.0, is_slow=is_slow)
    assert width.together == 1
    for per_second in (100.0, 100.0, 350.0, 350.0, 1000.0, 1000.0, 1000.0):
        width.judge(per_second, is_slow=True)
    assert width.together == transfers.SIDE_BY_SIDE


HEADS = {
    "plain": b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 3\r\n\r\nabc',
    "of a range": b"HTTP/1.1 206 Partial Content\r\nContent-Length:3\r\ncontent-range: bytes 0-2/9\r\n\r\nabc",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "in chunks, with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
    "the last one": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    "not the last one": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
    "folded": b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag:\r\n "a:b"\r\n\r\nabc',
    "told twice": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: b\r\netag: c\r\n\r\nabc",
    "go on first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "a number that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
    "nothing": b"HTTP/1.1 204 No Content\r\nETag: a\r\n\r\n",
    "refused": b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nx-amz-bucket-region: eu-west-1\r\n\r\nabc",
    "another number": b"HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc",
    "run together": b"HTTP/1.1 200OK\r\nContent-Length: 3\r\n\r\nabc",
    "endless": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
    "long": b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 9000 + b"\r\nContent-Length: 3\r\n\r\nabc",
    "in another alphabet": b"HTTP/1.1 200 OK\r\nx-amz-meta-a: \xe9\xff\r\nContent-Length: 3\r\n\r\nabc",
}


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
@pytest.mark.parametrize("head", HEADS)
def test_an_answer_is_read_as_the_library_reads_it(head, pieces):
    """Whatever a store says first, and however it comes, means what it means to Python's own client."""

    def told(kind):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            sent = threading.Thread(target=say, args=(theirs,))
            sent.start()
            answer = kind(ours, method="GET")
            try:
                answer.begin()
            except HTTPException as error:
                sent.join()
                return type(error)
            names = ("ETag", "Content-Length", "content-range", "x-amz-bucket-region", "x-amz-meta-a")
            headers = {
                name: answer.headers.get(name if kind is HTTPResponse else name.lower()) for name in names
            }
            about = answer.status, answer.reason, answer.version, answer.will_close, answer.length, headers
            body = answer.read()
            sent.join()
        return about, body, answer.length

    def say(peer):
        for place in range(0, len(HEADS[head]), pieces):
            peer.sendall(HEADS[head][place : place + pieces])
            time.sleep(0.0005 if pieces > 1 else 0)
        peer.shutdown(socket.SHUT_WR)

    assert told(StoreAnswer) == told(HTTPResponse)


def test_a_plain_answer_needs_no_parser_of_mail(monkeypatch):
    """What is most of what a store says is read by itself."""
    monkeypatch.setattr("http.client.parse_headers", None)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(HEADS["of a range"])
        answer = StoreAnswer(ours, method="GET")
        answer.begin()
        assert answer.read() == b"abc"


@pytest.fixture
def spoken():
    """A listener that says the same to each call, and what it heard by connection."""
    heard: list[list[bytes]] = []
    answer = [HEADS["plain"]]

    def hear(peer):
        with peer, peer.makefile("rb") as said:
            while line := said.readline():
                call = line
                while (line := said.readline()).strip():
                    call += line
                length = re.search(rb"(?i)content-length: (\d+)", call)
                heard[-1].append(call + (said.read(int(length[1])) if length else b""))
                told = answer[0]  # before who hears it asks for another one
                peer.sendall(told)
                if b"close" in told:
                    return

    def listen(listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            heard.append([])
            with contextlib.suppress(OSError):  # who hung up
                hear(peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard, answer
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("body", [None, b"", b"abc"])
def test_a_call_is_sent_as_the_library_sends_it(spoken, verb, body):
    """Line for line, and the next one over the same connection."""
    address, heard, _ = spoken
    target, headers = "/old/a%20b?x=1", {"Range": "bytes=0-9", "x-amz-meta-a": "\xe9"}
    ours = Connections(address)
    for _ in range(2):
        assert ours.ask(verb, target, headers, body).read() == b"abc"
    ours.drop()
    theirs = HTTPConnection(address.removeprefix("http://"))
    theirs.putrequest(verb, target, skip_accept_encoding=True)
    for name, value in headers.items():
        theirs.putheader(name, value)
    if body is not None:
        theirs.putheader("Content-Length", str(len(body)))
    theirs.endheaders(body)
    assert theirs.getresponse().read() == b"abc"
    theirs.close()
    assert heard == [heard[1] * 2, heard[1]]


@pytest.mark.parametrize("last", ["the last one", "to the end"])
def test_after_the_last_answer_another_connection_is_made(spoken, last):
    """Whoever says that no more comes is taken at its word, and what it said is read to its end."""
    address, heard, answer = spoken
    ours = Connections(address)
    for answer[0] in (HEADS["plain"], HEADS[last], HEADS["plain"]):
        assert ours.ask("GET", "/", {}).read() == b"abc"
    ours.drop()
    assert [len(calls) for calls in heard] == [2, 1]


def test_what_is_left_of_an_answer_is_none_to_the_next_call(spoken):
    """An object that holds an answer is not taken for one where its reading was given up."""
    address, heard, answer = spoken
    inner = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
    answer[0] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(inner), inner)
    ours = Connections(address)
    ours.ask("GET", "/", {})
    assert ours.ask("GET", "/", {}).read() == inner
    ours.drop()
    assert [len(calls) for calls in heard] == [1, 1]


def test_who_gives_an_answer_up_hangs_up(spoken, monkeypatch):
    """A store that is still saying it is not left waiting: this one listens to nobody else meanwhile."""
    monkeypatch.setattr("translate.stores.access.TIMEOUT_SECONDS", 10)
    address, heard, answer = spoken
    answer[0] = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + bytes(50_000_000)
    given_up = Connections(address)
    kept = given_up.ask("GET", "/", {})
    assert kept.read(10) == bytes(10)
    given_up.drop()
    answer[0] = HEADS["plain"]
    assert Connections(address).ask("GET", "/", {}).read() == b"abc"
    assert [len(calls) for calls in heard] == [1, 1]


def test_a_header_is_one_line(spoken):
    """What would be another header is sent to nobody."""
    address, heard, _ = spoken
    with pytest.raises(ValueError, match="a header of several lines"):
        Connections(address).ask("GET", "/", {"x-amz-meta-a": "b\r\nx-amz-acl: public-read"})
    assert heard == []


def test_an_empty_object_stays_empty(store, tmp_path):
    """An object of no bytes lies where the next one begins, and has nothing of it."""
    segments = copies.Segments(lambda: tmp_path / "segment")
    held = [segments.add(content) for content in (b"", b"", b"a", b"", b"bc")]
    assert [segments.read(copy) for copy in held] == [b"", b"", b"a", b"", b"bc"]
    segments.lay_down(held)
    assert [copy.read() for copy in held] == [b"", b"", b"a", b"", b"bc"]
    store.buckets["old"]["awsma/0-empty.gz"] = b""
    report = translate.convert("s3://old/awsma", to="clickstream", out=tmp_path / "out")
    assert report["events"]["read"] == 10 * FILES
