"""Damaged archives: what is whole is converted, the rest is told with its line, and no call ends in a traceback."""

import errno
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import damaged
import polars as pl
import pytest
from damaged import COMPRESSED, REFUSED, STORED, TAKEN, TEXTS, flipped, inflated, lines, record

import translate
from translate import files
from translate.errors import OutputError, SourceError, UsageError

ARCHIVE = "mobile_analytics/archive"
LEVEL = re.compile(r"Level (\d+)")


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """Read files as small ones, in groups, and as large ones, by the engine and by its salvage."""
    if request.param == "large":
        monkeypatch.setattr(files, "BUFFERED_MAX", 0)
    return request.param


@dataclass
class Outcome:
    report: dict
    rows: list
    rejects: list
    files: dict

    @property
    def places(self):
        return [(reject["line"], reject["code"]) for reject in self.rejects]

    @property
    def losses(self):
        return {(loss["field"], loss["kind"]): loss["events"] for loss in self.report["losses"]}


def outcome(out, report):
    """Read what a run left behind; every run has to keep the laws."""
    rows = [row for part in sorted((out / "data").iterdir()) for row in part.read_bytes().decode().split("\n")[:-1]]
    rejects = [json.loads(line) for line in (out / "rejects.ndjson").read_bytes().decode().split("\n")[:-1]]
    by_file = [json.loads(line) for line in (out / "files.ndjson").read_text().split("\n")[:-1]]
    total = Counter()
    for counts in [*by_file, report["events"]]:
        went_in = counts["read"] + counts["added"]
        assert went_in == sum(counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged"))
    for counts in by_file:
        total.update({name: counts[name] for name in report["events"]})
    assert dict(total) == report["events"]
    assert all(list(reject) == ["file", "line", "code", "message", "raw"] for reject in rejects)
    assert Counter(reject["file"] for reject in rejects) == {file["path"]: file["rejected"] for file in by_file if file["rejected"]}
    assert Counter(reject["code"] for reject in rejects) == report["rejects"]
    assert len(rejects) == report["events"]["rejected"]
    assert not (out / ".translate").exists()
    assert (out / "rejects.ndjson").stat().st_mode & 0o77 == 0
    return Outcome(report, rows, rejects, {file["path"]: file for file in by_file})


def convert(folder, contents, to=ARCHIVE, from_=ARCHIVE, **options):
    """Convert files of these contents, given by name."""
    for name, content in contents.items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    out = folder / "out"
    return outcome(out, translate.convert(folder / "source", to=to, out=out, from_=from_, **options))


def levels(found):
    """Give the numbers of the records that were written."""
    return [int(number) for row in found.rows for number in LEVEL.findall(row)]


# -- records ------------------------------------------------------------------------------------------------------


def test_refused_records(tmp_path, size):
    """A record that cannot be read costs one record, whatever is wrong with it, and is told by line, code and text."""
    bad = list(REFUSED.values())
    text = "".join(f"{line}\n{record(number)}\n" for number, (line, _) in enumerate(bad))
    found = convert(tmp_path, {"a.gz": gzip.compress(text.encode())})
    assert found.places == [(2 * number + 1, code) for number, (_, code) in enumerate(bad)]
    assert [reject["raw"] for reject in found.rejects] == [line for line, _ in bad]
    assert levels(found) == list(range(len(bad)))


@pytest.mark.parametrize("name", ["no JSON", "like zlib", "NaN", "1e400", "lone surrogate", "deepest nesting", "cut off"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_refused_record(tmp_path, name, place, size):
    """A bad record at the beginning, in the middle or at the end spoils no other one."""
    bad, code = REFUSED[name]
    text = [record(1), record(2)]
    text.insert(place, bad)
    found = convert(tmp_path, {"a.json": "\n".join(text).encode()})
    assert (found.places, levels(found)) == ([(place + 1, code)], [1, 2])


@pytest.mark.parametrize(("name", "hint"), [("seconds", "as seconds"), ("microseconds", "as microseconds"), ("year 10000", None)])
def test_times_of_another_unit(tmp_path, name, hint):
    """An implausible time tells if seconds or microseconds would make sense."""
    (reject,) = convert(tmp_path, {"a.json": REFUSED[name][0].encode()}).rejects
    assert hint in reject["message"] if hint else " as " not in reject["message"]


def test_taken_records(tmp_path, size):
    """Odd records that have a meaning are taken: numbers keep their value, text its characters."""
    text = "".join(line + "\n" for line, _ in TAKEN.values())
    found = convert(tmp_path, {"a.json": text.encode()})
    assert found.places == []
    for row, (name, (_, fragment)) in zip(found.rows, TAKEN.items(), strict=True):
        assert fragment in row, name
    assert found.losses[("metrics.score", "changed")] == 1  # 1e-99999999999999999999 alone is not what it was


def test_unknown_fields_and_nulls(tmp_path):
    """Unknown fields travel to their own model only; unknown nested ones and nulls are told."""
    text = record(1, odd=5, client={"client_id": "c", "odd": {"a": 1}}, metrics={"score": 1, "none": None}, session=None)
    text = text.replace('"attributes"', '"device":null,"attributes"')
    same = convert(tmp_path / "same", {"a.json": text.encode()})
    other = convert(tmp_path / "other", {"a.json": text.encode()}, to="clickstream")
    assert '"odd":5' in same.rows[0]
    assert ("odd", "not_mapped") not in same.losses
    assert "odd" not in other.rows[0]
    assert other.losses[("odd", "not_mapped")] == 1
    for found in (same, other):
        assert found.losses[("client.odd", "not_mapped")] == 1
        (nulls,) = [finding for finding in found.report["findings"] if finding["code"] == "explicit_nulls"]
        assert nulls["events"] == 2


@pytest.mark.parametrize("to", ["clickstream", "learning_context", "personalize", "hub"])
def test_every_target(tmp_path, to):
    """What is refused does not depend on the target."""
    text = "".join(f"{line}\n" for line, _ in REFUSED.values()).encode() + lines(2)
    (tmp_path / "a.json").write_bytes(text)
    report = translate.convert(tmp_path / "a.json", to=to, out=tmp_path / "out")
    assert report["rejects"] == Counter(code for _, code in REFUSED.values())


# -- lines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEXTS)
def test_texts(tmp_path, name, size):
    """Whole records are found in whatever lines they stand; the others are told by their line."""
    content, written, rejects = TEXTS[name]
    found = convert(tmp_path, {"a.gz": content, "b.json": lines(1)})
    assert (found.files["a.gz"]["written"], found.places) == (written, rejects)
    assert (found.files["b.json"]["written"], found.files["b.json"]["rejected"]) == (1, 0)


def test_raw_of_damage(tmp_path):
    """Rejects hold the record's own text, and what is no text as base64."""
    found = convert(tmp_path, {"a.json": damaged.BAD_UTF8 + b"\n" + record(1).encode()[:50]})
    assert list(found.rejects[0]["raw"]) == ["base64"]
    import base64

    assert base64.b64decode(found.rejects[0]["raw"]["base64"]) == damaged.BAD_UTF8
    assert found.rejects[1]["raw"] == record(1)[:50]


# -- compression --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed(tmp_path, name, size):
    """Compression is seen through by content; a damaged rest counts as one record, and what precedes it is saved."""
    content, written, rejects = COMPRESSED[name]
    found = convert(tmp_path, {"a.gz": content, "b.gz": STORED})
    counts = found.files["a.gz"]
    assert (counts["written"], [reject["code"] for reject in found.rejects]) == (written, rejects)
    assert {reject["file"] for reject in found.rejects} <= {"a.gz"}
    assert (found.files["b.gz"]["written"], found.files["b.gz"]["rejected"]) == (40, 0)
    assert counts["digest"] == hashlib.sha256(content).hexdigest()


def opened(path, tmp_path):
    """Give a file's lines and damage, as they are read where the fast way failed."""
    (found,) = files.find([path])
    (unit,) = files.units([found])
    with_damage = files.open_unit(unit, tmp_path, salvage=True).lines
    texts = with_damage.frame.collect()["text"].to_list() if with_damage.frame is not None else []
    return [text for row, text in enumerate(texts) if row not in with_damage.damage], with_damage.damage


def test_cut_anywhere(tmp_path):
    """Wherever a gzip file is cut, every line that was stored whole before the cut is read, and one damage told."""
    path = tmp_path / "a.gz"
    whole = lines(40).decode().split("\n")[:-1]
    for cut in range(2, len(STORED)):
        path.write_bytes(STORED[:cut])
        text = inflated(STORED[:cut])
        texts, damage = opened(path, tmp_path)
        expected = whole[: text.count(b"\n")]
        last = text.rpartition(b"\n")[2].decode()
        rest = [last] if last in whole else []
        assert (texts, [(row + 1, one.code) for row, one in damage.items()]) == (expected + rest, [(len(expected + rest) + 1, "damaged_file")]), cut
        assert damage[len(texts)].raw == ("" if rest else last), cut


def test_flipped_anywhere(tmp_path, size):
    """Wherever a byte of a gzip file is wrong, the records before it are converted, and all others told."""
    contents = {f"{position:04}.gz": flipped(STORED, position) for position in range(10, len(STORED), 3)}
    found = convert(tmp_path, contents)
    for name, counts in found.files.items():
        rejects = [reject for reject in found.rejects if reject["file"] == name]
        assert [reject["code"] for reject in rejects][-1:] == ["damaged_file"], name
        assert rejects[-1]["line"] == max(reject["line"] for reject in rejects), name
        before = inflated(contents[name][: int(name[:4])]).count(b"\n")
        assert counts["written"] >= before, name


def zstd(text):
    """Compress as the engine does."""
    target = files.io.BytesIO()
    pl.LazyFrame({"text": text.decode().split("\n")[:-1]}).sink_csv(
        target, include_header=False, quote_style="never", compression="zstd", check_extension=False
    )
    return target.getvalue()


def test_zstd(tmp_path, size):
    """Zstandard is seen through like gzip: alone, inside gzip, in several frames, and up to where it is damaged."""
    stored = zstd(lines(4000))
    found = convert(tmp_path, {
        "a.zst": stored, "b.gz": gzip.compress(stored), "c": stored * 2, "d.zst": stored[: len(stored) - 9],
        "e.zst": stored[:20], "f.zst": stored + b"junk", "g.gz": gzip.compress(stored) + b"junk",
    })  # fmt: skip
    written = {name: counts["written"] for name, counts in found.files.items()}
    assert {name: written[name] for name in "a.zst b.gz c g.gz".split()} == {"a.zst": 4000, "b.gz": 4000, "c": 8000, "g.gz": 4000}
    assert written["f.zst"] == 4000
    assert 0 < written["d.zst"] < 4000
    assert [(reject["file"], reject["code"]) for reject in found.rejects] == [(name, "damaged_file") for name in "d.zst e.zst f.zst g.gz".split()]


# -- sources ------------------------------------------------------------------------------------------------------


def test_folder(tmp_path, size):
    """Hidden files are left out; whatever else lies in a folder is read, or told as one reject."""
    source = tmp_path / "source"
    (source / "link").parent.mkdir()
    (source / "link").symlink_to(source / "nowhere.gz")
    (source / "round").symlink_to(source)
    os.mkfifo(source / "pipe")
    unnamable = os.fsdecode(b"\xff.json")
    found = convert(tmp_path, {
        ".hidden.gz": b"junk", ".git/config": b"junk", "2016/05/a.gz": STORED, "README.md": b"# About\n\nnothing\n",
        "[1].json": lines(1), "b?.json": lines(2), "empty.gz": b"", unnamable: lines(3), "zip.zip": b"PK\x03\x04\x00\xff" * 50,
    }, from_=None)  # fmt: skip
    assert {name: counts["written"] for name, counts in found.files.items()} == {
        "2016/05/a.gz": 40, "README.md": 0, "[1].json": 1, "\\xff.json": 3, "b?.json": 2, "empty.gz": 0, "link": 0, "pipe": 0, "zip.zip": 0,
    }  # fmt: skip
    assert [(reject["file"], reject["line"], reject["code"]) for reject in found.rejects] == [
        ("README.md", 1, "not_recognised"), ("link", 1, "unreadable_file"), ("pipe", 1, "unreadable_file"), ("zip.zip", 1, "not_recognised"),
    ]  # fmt: skip


def test_globs_and_several_sources(tmp_path, monkeypatch):
    """A source may be a file, a folder or a glob, also of folders; what several of them name is read once."""
    monkeypatch.chdir(tmp_path)
    for name in ("x/1.json", "x/2.json", "x1/1.json", "x1/deep/3.json", "y/1.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(lines(1))

    def shown(*sources):
        return [file.shown for file in files.find(sources)]

    assert shown("x/*.json") == ["1.json", "2.json"]
    assert shown("x*/1.json") == ["x/1.json", "x1/1.json"]
    assert shown("x*") == shown(str(tmp_path / "x*")) == ["x/1.json", "x/2.json", "x1/1.json", "x1/deep/3.json"]
    assert shown("**/3.json") == ["x1/deep/3.json"]
    assert shown("x", "y/1.json", tmp_path / "x") == [str(tmp_path / "x/1.json"), str(tmp_path / "x/2.json"), "y/1.json"]
    assert shown("x/1.json", "y/1.json") == ["x/1.json", "y/1.json"]
    assert shown("x/*", "y/*") == ["x/1.json", "x/2.json", "y/1.json"]


@pytest.mark.parametrize("source", ["nothing", "none/*.gz", "empty"])
def test_nothing_there(tmp_path, source, monkeypatch):
    """Where there is no file, nothing is done, and the error names the source and the way out."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("empty/.hidden").write_bytes(STORED)
    with pytest.raises(SourceError, match=re.escape(source) + ": nothing there; name a file"):
        translate.convert(source, to=ARCHIVE, out="out")
    assert not Path("out").exists()


@pytest.mark.parametrize("from_", [None, ARCHIVE])
def test_no_readable_file(tmp_path, from_):
    """Where not one file can be read, the error tells why; nothing is written."""
    (tmp_path / "a.gz").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"a\.gz: cannot be read: No such file or directory; grant"):
        translate.convert(tmp_path, to=ARCHIVE, out=tmp_path / "out", from_=from_)
    assert not (tmp_path / "out").exists()


def test_unreadable_folder(tmp_path, monkeypatch):
    """A folder that may not be listed is no empty folder."""
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match=r"closed: the folder cannot be listed \(Permission denied\)"):
        files.find([tmp_path])


def test_file_that_fails_while_read(tmp_path, monkeypatch, size):
    """A file that cannot be read to its end counts as one damaged record, and is no trouble of the target's."""
    import builtins

    def fail(path, *mode, **options):
        if str(path).endswith("a.json"):
            raise OSError(errno.EIO, "Input/output error")
        return open_file(path, *mode, **options)

    open_file = builtins.open
    monkeypatch.setattr(builtins, "open", fail)
    found = convert(tmp_path, {"a.json": lines(1), "b.json": lines(2)})
    assert [(reject["file"], reject["code"], reject["message"]) for reject in found.rejects] == [
        ("a.json", "unreadable_file", "the file cannot be read: Input/output error")
    ]
    assert levels(found) == [0, 1]


@pytest.fixture(scope="module")
def bucket():
    """A bucket of moto's server with a few archives."""
    server_module = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            patch.setenv(name, f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="old")
        for key, body in {
            "x/1.gz": STORED, "x/deep/2.gz": STORED[:-20], "x/.hidden": b"junk", "x/folder/": b"", "x1/1.gz": lines(1), "y/3.zst": zstd(lines(2)),
        }.items():  # fmt: skip
            client.put_object(Bucket="old", Key=key, Body=body)
        yield "s3://old"
    server.stop()


def test_s3(bucket, tmp_path, size):
    """Archives on S3 are read like those on disk, damage and all."""
    report = translate.convert(f"{bucket}/x", to=ARCHIVE, out=tmp_path / "x")
    found = outcome(tmp_path / "x", report)
    assert {name: counts["written"] for name, counts in found.files.items()} == {"1.gz": 40, "deep/2.gz": 39}
    assert [(reject["file"], reject["line"], reject["code"]) for reject in found.rejects] == [("deep/2.gz", 40, "damaged_file")]
    assert found.files["1.gz"]["digest"] == hashlib.sha256(STORED).hexdigest()


def test_s3_sources(bucket):
    """An S3 source is an object, a folder or a glob; several are told apart by their keys."""
    def shown(*sources):
        return [file.shown for file in files.find([f"{bucket}/{source}" for source in sources])]

    assert shown("x/1.gz") == ["1.gz"]
    assert shown("x/") == shown("x") == ["1.gz", "deep/2.gz"]
    assert shown("x*/1.gz") == ["x/1.gz", "x1/1.gz"]
    assert shown("x", "x1/") == ["s3:/old/x/1.gz", "s3:/old/x/deep/2.gz", "s3:/old/x1/1.gz"]
    for source in (f"{bucket}/nothing", "s3://nowhere/x"):
        with pytest.raises(SourceError, match=re.escape(source)):
            files.find([source])


# -- targets ------------------------------------------------------------------------------------------------------


def test_event_types_without_number(tmp_path):
    """More than 1,500 event types are converted like any others."""
    found = convert(tmp_path, {"a.json": lines(1700)}, to="clickstream")
    assert (found.report["events"]["written"], len({json.loads(row)["event_type"] for row in found.rows})) == (1700, 1700)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"attributes": {"k" * 50: "v" * 200}}, None),
        ({"attributes": {"k" * 51: "v"}}, "over_limit"),
        ({"attributes": {"k": "v" * 201}}, "over_limit"),
        ({"metrics": {"k" * 51: 1}}, "over_limit"),
        ({"attributes": {f"k{number}": "v" for number in range(40)}, "metrics": {}}, None),
        ({"attributes": {f"k{number}": "v" for number in range(41)}, "metrics": {}}, "over_limit"),
    ],
)
def test_keys_and_values_over_limits(tmp_path, changes, code):
    """What the receiver refuses is refused with its limit; the archive has none."""
    content = {"a.json": record(1, **changes).encode() + b"\n" + lines(1)}
    strict = convert(tmp_path / "strict", content, to="pinpoint/requests")
    assert strict.places == ([(1, code)] if code else [])
    assert convert(tmp_path / "free", content).report["events"]["written"] == 2


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def command(*arguments):
    """Run the command line."""
    return subprocess.run([sys.executable, "-m", "translate", *map(str, arguments)], capture_output=True, text=True, check=False)


def tree(folder):
    """Give what a run left behind, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("filler", [0, 300, 508])
def test_full_disk(tmp_path, tiny_disk, filler, monkeypatch, size):
    """On a full disk the run stops with one sentence; repeated after making room, it ends as if nothing had been."""
    monkeypatch.setattr(files, "GROUP_BYTES", 200_000)
    source = tmp_path / "source"
    source.mkdir()
    for number in range(8):
        (source / f"{number}.json").write_bytes(lines(500, number) + b"junk\n")
    (tiny_disk / "filler").write_bytes(bytes(filler * 1024))
    options = {"to": "clickstream"}
    with pytest.raises(OutputError, match="make room and repeat"):
        translate.convert(source, out=tiny_disk / "out", **options)
    assert not (tiny_disk / "out/report.json").exists()
    (tiny_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(tiny_disk)], check=True)
    translate.convert(source, out=tiny_disk / "out", **options)
    translate.convert(source, out=tmp_path / "undisturbed", **options)
    assert tree(tiny_disk / "out") == tree(tmp_path / "undisturbed")


def test_full_disk_while_salvaging(tmp_path, monkeypatch):
    """A full disk is not mistaken for a file that cannot be read."""
    monkeypatch.setattr(files, "BUFFERED_MAX", 0)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files._Gathered, "_put", refuse)
    with pytest.raises(OutputError, match="make room and repeat"):
        convert(tmp_path, {"a.gz": STORED[:-8]})


def test_exit_codes(tmp_path, tiny_disk):
    """The command line tells by its exit code how it ended, and by one line what to do."""
    good, bad, out = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "out"
    good.write_bytes(lines(1))
    bad.write_bytes(lines(1) + b"junk\n")
    (tmp_path / "none").mkdir()
    (tiny_disk / "filler").write_bytes(bytes(500 * 1024))
    big = tmp_path / "big.json"
    big.write_bytes(lines(500))
    state = out / "busy" / ".translate"
    state.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True); sys.stdin.read()", state / "lock"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    holder.stdout.readline()
    for source, target, code, message in [
        (good, out / "good", 0, ""),
        (bad, out / "bad", 1, ""),
        (good, out / "good", 2, "name a new or empty directory"),
        (good, good, 2, "name a new or empty directory"),
        (good, out / "busy", 2, "another run is writing here"),
        (tmp_path / "none", out / "none", 3, "name a file, a folder, a glob"),
        (big, tiny_disk / "out", 3, "make room and repeat"),
    ]:
        ended = command("convert", source, "--to", ARCHIVE, "--out", target)
        assert (ended.returncode, message in ended.stderr) == (code, True), ended.stderr
        assert ended.stderr.count("\n") == (code > 1), ended.stderr
    holder.communicate()


def test_target_in_use(tmp_path):
    """A directory that another job has begun is refused; the same job goes on."""
    (tmp_path / "a.json").write_bytes(lines(1))
    (tmp_path / "out/.translate").mkdir(parents=True)
    (tmp_path / "out/.translate/job.json").write_text('{"to": "elsewhere"}')
    with pytest.raises(UsageError, match="holds an unfinished run of another job"):
        translate.convert(tmp_path / "a.json", to=ARCHIVE, out=tmp_path / "out")
