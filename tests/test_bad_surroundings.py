"""Bad surroundings: sources that are not there or cannot be read, targets that are full or in use, and the exit codes."""

import errno
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from damaged import ARCHIVE, STORED, convert, levels, lines, outcome, record, zstd

import translate
from translate.archive import sources as archives
from translate.archive import units as files
from translate.archive.stored import chunks_of
from translate.errors import OutputError, SourceError, UsageError

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


def test_a_pipe_is_told_of_and_left_to_its_reader(tmp_path):
    """Who writes into a pipe goes on waiting for whoever does read it, and is not turned away by a look."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(lines(2),), daemon=True)
    writer.start()
    writer.join(0.1)
    with pytest.raises(SourceError, match="of a pipe say - < PIPE"):
        translate.convert(tmp_path / "pipe", to="clickstream", out=tmp_path / "out")
    writer.join(0.2)
    assert writer.is_alive()
    assert (tmp_path / "pipe").read_bytes() == lines(2)


def test_globs_and_several_sources(tmp_path, monkeypatch):
    """A source may be a file, a folder or a glob, also of folders; what several of them name is read once."""
    monkeypatch.chdir(tmp_path)
    for name in ("x/1.json", "x/2.json", "x1/1.json", "x1/deep/3.json", "y/1.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(lines(1))

    def shown(*sources):
        return [file.shown for file in archives.find(sources)]

    assert shown("x/*.json") == ["1.json", "2.json"]
    assert shown("x*/1.json") == ["x/1.json", "x1/1.json"]
    assert (
        shown("x*") == shown(str(tmp_path / "x*")) == ["x/1.json", "x/2.json", "x1/1.json", "x1/deep/3.json"]
    )
    assert shown("**/3.json") == ["x1/deep/3.json"]
    assert shown("x", "y/1.json", tmp_path / "x") == ["1.json", "x/1.json", "x/2.json"]
    assert shown("x/1.json", "y/1.json") == ["1.json", "1.json#2"]
    assert shown("x/*", "y/*") == ["x/1.json", "x/2.json", "y/1.json"]


def test_links_to_what_is_listed_are_read_once(tmp_path):
    """Folders and files: the newest export under a name of its own is no second one."""
    source = tmp_path / "source"
    for name in ("source/2016/1.json", "source/2017/2.json", "elsewhere/3.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(lines(1))
    (source / "latest.json").symlink_to(source / "2017" / "2.json")
    (source / "newest").symlink_to(source / "2017")
    for name in ("a.json", "b.json"):
        (source / name).symlink_to(tmp_path / "elsewhere" / "3.json")
    (tmp_path / "link").symlink_to(source / "2016")
    assert [file.shown for file in archives.find([source])] == ["2016/1.json", "2017/2.json", "a.json"]
    several = archives.find([source / "2016", tmp_path / "link", tmp_path / "link" / "1.json"])
    assert [file.shown for file in several] == ["2016/1.json"]


@pytest.mark.parametrize("source", [".", "*", "**", "**/*json"])
def test_a_target_within_its_source_is_no_source(tmp_path, monkeypatch, source):
    """The call that wrote there can be repeated, and both sides compared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_bytes(lines(3))
    for _ in range(2):
        report = translate.convert(source, to="mobile_analytics/archive", out="out", from_="mobile_analytics")
        assert report["events"]["read"] == report["events"]["written"] == 3
    assert not translate.parity(source, "out").unexplained
    assert len(archives.find(["."])) == 2


def test_links_to_what_is_not_listed_are_read(tmp_path):
    """Books of a result, which are left out with it; what lies in the target of a call is none of its sources, however it is called."""
    source = tmp_path / "source"
    (source / "out" / "data").mkdir(parents=True)
    (source / "out" / "report.json").write_text('{"complete": true, "events": {}}')
    for name in ("a.json", "out/rejects.ndjson", "out/data/part.json"):
        (source / name).write_bytes(lines(1))
    (source / "rejected.json").symlink_to(source / "out" / "rejects.ndjson")
    (source / "written.json").symlink_to(source / "out" / "data" / "part.json")
    (source / "rows").symlink_to(source / "out" / "data")

    def shown(*sources, apart=()):
        return [file.shown for file in archives.find(sources, apart=apart)]

    assert shown(source) == ["a.json", "out/data/part.json", "rejected.json"]
    assert shown(source, apart=[source / "out"]) == shown(f"{source}/*", apart=[source / "out"]) == ["a.json"]
    for within in ("out/data", "out/data/*", "out/d*", "rows"):
        assert [name.rpartition("/")[2] for name in shown(source / within, apart=[source / "out"])] == [
            "part.json"
        ]


@pytest.mark.parametrize("source", ["w", "w/*.json", "w/*", "w/in/*"])
def test_a_source_within_its_target(tmp_path, monkeypatch, source):
    """What is refused is the target."""
    monkeypatch.chdir(tmp_path)
    for name in ("w/a.json", "w/in/b.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(lines(1))
    with pytest.raises(UsageError, match="w: is not empty; name a new or empty directory"):
        translate.convert(source, to="clickstream", out="w", from_="mobile_analytics")


def test_sources_are_told_apart_whatever_they_are_called(tmp_path):
    """A name that looks like a number beside another, one with the sign of it, one that is no UTF-8: each file is told by its own."""
    folders = [tmp_path / name for name in ("a/data", "b/data", "c/data#2", "d/data#2", "e/\udcff")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "p").write_bytes(lines(1))
    (tmp_path / "x#y").write_bytes(lines(2))
    report = translate.convert([*folders, tmp_path / "x#y"], to=ARCHIVE, out=tmp_path / "out")
    files = outcome(tmp_path / "out", report).files
    names = ["data/p", "data#2/p", "data#2#2/p", "data#2#3/p"]
    assert {name: file["read"] for name, file in files.items()} == {
        r"\xff/p": 1,
        **dict.fromkeys(names, 1),
        "x#y": 2,
    }


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nothing", "nothing there"), ("none/*.gz", "nothing there"), ("empty", "is empty"),
        ("hidden", "holds hidden files only, which are left out"),
    ],
)  # fmt: skip
def test_nothing_there(tmp_path, source, why, monkeypatch):
    """Where there is no file, nothing is done, and the error names the source and the way out."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("hidden").mkdir()
    Path("hidden/.hidden").write_bytes(STORED)
    with pytest.raises(SourceError, match=re.escape(f"{source}: {why}; name a file")):
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
        archives.find([tmp_path])


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no such file on this system")
def test_file_that_fails_while_read(tmp_path, size):
    """A file that cannot be read to its end counts as one damaged record, and is no trouble of the target's."""
    (tmp_path / "source").mkdir()
    unreadable = "/proc/self/mem"  # a regular file whose first byte nobody may read
    (tmp_path / "source" / "a.json").symlink_to(unreadable)
    found = convert(tmp_path, {"b.json": lines(2)})
    assert [(reject["file"], reject["code"], reject["message"]) for reject in found.rejects] == [
        ("a.json", "unreadable_file", "the file cannot be read: Input/output error")
    ]
    assert levels(found) == [0, 1]


@pytest.fixture(scope="module")
def bucket():
    """A bucket of moto's server with a few archives."""
    server_module = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
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
            "z/4.gz": lines(1), "z//4.gz": lines(2),
        }.items():  # fmt: skip
            client.put_object(Bucket="old", Key=key, Body=body)
        yield "s3://old"
    server.stop()


def test_s3(bucket, tmp_path, size):
    """Archives on S3 are read like those on disk, damage and all."""
    report = translate.convert(f"{bucket}/x", to=ARCHIVE, out=tmp_path / "x")
    found = outcome(tmp_path / "x", report)
    assert {name: counts["written"] for name, counts in found.files.items()} == {"1.gz": 40, "deep/2.gz": 39}
    assert [(reject["file"], reject["line"], reject["code"]) for reject in found.rejects] == [
        ("deep/2.gz", 40, "damaged_file")
    ]
    assert found.files["1.gz"]["digest"] == f"sha256:{hashlib.sha256(STORED).hexdigest()}"


def test_a_slash_too_many(bucket, tmp_path):
    """A key with two slashes is another object than that with one, below a folder and beside another source."""
    for sources, names in ((["z"], ["/4.gz", "4.gz"]), (["z", "x1"], ["x1/1.gz", "z//4.gz", "z/4.gz"])):
        out = tmp_path / sources[-1]
        report = translate.convert([f"{bucket}/{source}" for source in sources], to=ARCHIVE, out=out)
        assert list(outcome(out, report).files) == names


def test_from_s3_to_s3(bucket, tmp_path):
    """What is put into a bucket, by moto's account of it, is what lies in a folder else."""
    translate.convert(f"{bucket}/x", to="clickstream", out=f"{bucket}/rows")
    translate.convert(f"{bucket}/x", to="clickstream", out=tmp_path / "here")
    (part,) = archives.find([f"{bucket}/rows"])
    assert part.shown == "data/part-00000.ndjson"
    assert b"".join(chunks_of(part)) == (tmp_path / "here" / part.shown).read_bytes()
    books = [file.shown for file in archives.find([f"{bucket}/rows-translate"])]
    assert books == ["files.ndjson", "rejects.ndjson", "report.json"]


def test_s3_sources(bucket):
    """An S3 source is an object, a folder or a glob; several are told apart by their keys."""

    def shown(*sources):
        return [file.shown for file in archives.find([f"{bucket}/{source}" for source in sources])]

    assert shown("x/1.gz") == ["1.gz"]
    assert shown("x/") == shown("x") == ["1.gz", "deep/2.gz"]
    assert shown("x*/1.gz") == ["x/1.gz", "x1/1.gz"]
    assert shown("x", "x1/") == ["x/1.gz", "x/deep/2.gz", "x1/1.gz"]
    for source in (f"{bucket}/nothing", "s3://nowhere/x"):
        with pytest.raises(SourceError, match=re.escape(source)):
            archives.find([source])


@pytest.mark.parametrize("given", ["gs://bucket/x", Path("gs://bucket/x")], ids=type)
def test_a_store_is_no_folder(tmp_path, monkeypatch, given):
    """A URL in the place of a folder is refused before anything is read, and becomes no folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="gs://bucket/x: out= is a folder of this machine"):
        translate.convert("missing", to=ARCHIVE, out=given)
    with pytest.raises(UsageError, match="gs://bucket/x: journal= is a folder of this machine"):
        translate.replay("missing", to="pinpoint", journal=given)
    assert list(tmp_path.iterdir()) == []


# -- targets ------------------------------------------------------------------------------------------------------


def test_event_types_without_number(tmp_path):
    """More than 1,500 event types are converted like any others."""
    found = convert(tmp_path, {"a.json": lines(1700)}, to="clickstream")
    assert (
        found.report["events"]["written"],
        len({json.loads(row)["event_type"] for row in found.rows}),
    ) == (1700, 1700)


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
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def command(*arguments):
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "translate", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def tree(folder):
    """Give what a run left behind, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("filler", [0, 300, 508])
def test_full_disk(tmp_path, tiny_disk, filler, monkeypatch, size):
    """On a full disk the run stops with one sentence; repeated after making room, it ends as if nothing had been."""
    monkeypatch.setattr(files, "PART_BYTES", 200_000)
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

    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "SpooledTemporaryFile", lambda *_, **__: Full())
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
        (bad, out / "good", 2, "name a new or empty directory"),
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
