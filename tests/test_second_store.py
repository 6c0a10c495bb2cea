"""A second S3 server, written by others (s3rver, of npm): the same rows come from there and lie there as on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from test_stores import archive, on_disk, written

import translate
from translate.archive import spool
from translate.archive.sources import find
from translate.errors import SourceError
from translate.stores import bucket as calls
from translate.stores import transfers
from translate.stores.access import Access
from translate.stores.bucket import Bucket

S3RVER = os.environ.get("TRANSLATE_S3RVER", "")
pytestmark = pytest.mark.skipif(
    not S3RVER, reason="TRANSLATE_S3RVER names no s3rver (npm install s3rver brings one)"
)
ODD = ("a b.gz", "a+b.gz", "100%25.gz", "é/ü.gz", "q?x=1&y.gz", "quote'd.gz", "hash#tag.gz")
PAGE = 1_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket `old` with an archive, a bucket `new`, and the environment that leads there."""
    command = [
        S3RVER,
        "-d",
        str(tmp_path_factory.mktemp("s3rver")),
        "-a",
        "127.0.0.1",
        "-p",
        "0",
        "-s",
        "--no-vhost-buckets",
    ]
    command += [word for name in ("old", "new") for word in ("--configure-bucket", name)]
    # It spells where a page goes on by a cipher that newer versions of OpenSSL call legacy.
    environment = {**os.environ, "NODE_OPTIONS": "--openssl-legacy-provider"}
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert running.stdout is not None
        address = next(line.split()[-1] for line in running.stdout if "listening on" in line)
        patch.setattr(spool, "_spools", [])
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://{address}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "S3RVER")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        bucket = Bucket("old", Access())
        for key, body in archive().items():
            bucket.put(key, body)
        yield bucket
        running.terminate()


def rows_in(name: str, prefix: str) -> dict[str, bytes]:
    """Give the rows that lie below a prefix of a bucket."""
    bucket = Bucket(name, Access())
    keys = [entry.key for entry in bucket.listed(f"{prefix}/data/")]
    return {key.removeprefix(f"{prefix}/"): bucket.read(key) or b"" for key in keys}


def test_from_bucket_to_bucket(server, tmp_path, monkeypatch):
    """Rows in a bucket, in pieces, are those that lie on disk; who repeats the call has them already."""
    monkeypatch.setattr(transfers, "PIECE_BYTES", 1 << 14)
    report = translate.convert("s3://old/awsma", to="clickstream", out="s3://new/rows")
    translate.convert(on_disk(tmp_path / "in", archive()) / "awsma", to="clickstream", out=tmp_path / "out")
    assert rows_in("new", "rows") == written(tmp_path / "out") != {}
    assert max(map(len, rows_in("new", "rows").values())) > transfers.PIECE_BYTES
    again = translate.convert("s3://old/awsma", to="clickstream", out="s3://new/rows")
    assert (again["events"], again.finished_already) == (report["events"], True)


def test_odd_keys_beyond_a_page(server):
    """Keys are listed page by page, and fetched as they are spelled."""
    body = next(iter(archive().values()))
    for number in range(PAGE):
        server.put(f"many/{number:04}.json", b"")
    for key in ODD:
        server.put(f"many/{key}", body)
    files = find(["s3://old/many"])
    assert {file.shown for file in files} >= set(ODD)
    assert len(files) == PAGE + len(ODD)
    read = translate.scan("s3://old/many", from_="mobile_analytics/archive").collect()
    assert read.height == 10 * len(ODD)


def test_a_killed_run_goes_on(server, tmp_path, monkeypatch):
    """A run that is killed while it writes leaves nothing half, and the next one ends it, without asking often for what this store cannot do."""
    words = ["convert", "s3://old/awsma", "--to", "clickstream", "--out", "s3://new/killed"]
    script = (
        "import os\n"
        "from translate.stores.bucket import Bucket\n"
        "put, count = Bucket.put, []\n"
        "def killed(*given, **more):\n"
        "    count.append(1)\n"
        "    os._exit(9) if len(count) > 1 else None\n"
        "    return put(*given, **more)\n"
        "Bucket.put = killed\n"
        "import sys\n"
        "from translate.cli import main\n"
        f"sys.argv = {['translate', *words]!r}\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 9, ended.stderr
    waits = []
    monkeypatch.setattr(calls, "_wait", waits.append)
    report = translate.convert("s3://old/awsma", to="clickstream", out="s3://new/killed")
    assert waits == []
    translate.convert(on_disk(tmp_path / "in", archive()) / "awsma", to="clickstream", out=tmp_path / "out")
    assert rows_in("new", "killed") == written(tmp_path / "out")
    assert report["events"]["written"] == 10 * len(archive())


def test_what_it_refuses_is_told_in_our_words(server, monkeypatch):
    """A bucket that is not there, and a key that it does not know."""
    with pytest.raises(SourceError, match="s3://missing"):
        find(["s3://missing/x"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODY")
    monkeypatch.setattr(spool, "_spools", [])
    with pytest.raises(SourceError, match="the credentials are not known"):
        find(["s3://old/awsma"])
