"""Records beyond the largest size: each costs itself only, and its head and digest are kept."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from damaged import convert, levels, lines, record

import translate

LONG = record(7, attributes={"text": "@" * 20_000}).replace("@", "ä")  # of more bytes than characters
BYTES = len(LONG.encode())


def kept(text: str) -> dict[str, object]:
    return {
        "head": text[:500],
        "bytes": len(text.encode()),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


@pytest.mark.parametrize("to", ["mobile_analytics/archive", "clickstream", "personalize", "hub"])
def test_a_record_beyond_the_largest_size(to: str, size: str, tmp_path: Path) -> None:
    """It is rejected with its size, head and digest; the setting names the largest size that is taken, to the byte."""
    content = lines(1) + LONG.encode() + b"\n" + lines(1, 1)
    for name, bytes_max, rejected in (("less", BYTES - 1, 1), ("as much", BYTES, 0)):
        for file in (f"{name}.json", f"{name}.gz"):
            folder = tmp_path / file
            folder.mkdir()
            (folder / file).write_bytes(gzip.compress(content) if file.endswith("gz") else content)
            options = {"set_": [f"record_bytes={bytes_max}"], "from_": "mobile_analytics/archive"}
            report = translate.convert(folder / file, to=to, out=folder / "out", **options)
            assert report["rejects"].get("too_large", 0) == rejected
            if rejected:
                reject = json.loads(
                    (folder / "out/rejects.ndjson").read_text(encoding="utf-8").splitlines()[0]
                )
                assert (reject["line"], reject["code"], reject["raw"]) == (2, "too_large", kept(LONG))
                assert f"has {BYTES:,} bytes" in reject["message"]
                assert "--set record_bytes=N" in reject["message"]


def test_records_run_together(size: str, tmp_path: Path) -> None:
    """The size is a record's and not a line's: what is run together with a large one, or makes a long line of small ones, is read."""
    small = "".join(record(number) for number in range(300))
    assert len(small) > BYTES
    found = convert(
        tmp_path,
        {"a.json": f"{small}\n{record(301)}{LONG} {record(302)}\n{LONG[:-1]}\n{record(303)}".encode()},
        set_=["record_bytes=40000"],
    )
    assert levels(found) == [*range(300), 301, 302, 303]
    assert [(reject["line"], reject["code"], reject["raw"]) for reject in found.rejects] == [
        (2, "too_large", kept(LONG)),
        (3, "too_large", kept(LONG[:-1])),
    ]


def test_the_setting(tmp_path: Path) -> None:
    """The default stands in no report; what is no size is refused before anything is read."""
    (tmp_path / "a.json").write_bytes(lines(1))
    report = translate.convert(tmp_path / "a.json", to="hub", out=tmp_path / "out")
    assert "record_bytes" not in report["settings"]
    assert (
        translate.convert(tmp_path / "a.json", to="hub", out=tmp_path / "o2", set_=["record_bytes=1e9"])[
            "settings"
        ]["record_bytes"]
        == 10**9
    )
    with pytest.raises(translate.MappingError, match="record_bytes: should be a number above 0"):
        translate.convert(tmp_path / "a.json", to="hub", out=tmp_path / "none", set_=["record_bytes=much"])


MEASURE = """
import resource, sys, translate
report = translate.convert(sys.argv[1], to="mobile_analytics/archive", out=sys.argv[2], from_="mobile_analytics/archive", set_=["record_bytes=1e6"])
assert report["rejects"] == ({"too_large": 1} if sys.argv[3] == "large" else {}), report["rejects"]
assert report["events"]["written"] == 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
LINE_BYTES = 200_000_000


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A line of 200 MB in 200 kB of gzip costs less memory than it has bytes."""
    peaks = {}
    before, _, after = record(7, attributes={"text": "@"}).partition("@")
    for name, count in (("small", 0), ("large", LINE_BYTES // 1_000_000)):
        with gzip.open(tmp_path / f"{name}.gz", "wb", compresslevel=1) as output:
            output.write(lines(10))
            if count:
                output.write(before.encode())
                for _ in range(count):
                    output.write(b"a" * 1_000_000)
                output.write(f"{after}\n".encode())
            output.write(lines(10))
        command = [
            sys.executable,
            "-c",
            MEASURE,
            str(tmp_path / f"{name}.gz"),
            str(tmp_path / f"{name}-out"),
            name,
        ]
        ended = subprocess.run(
            command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            pytest.fail(ended.stderr[-500:])
        peaks[name] = int(ended.stdout)
    assert peaks["large"] - peaks["small"] < LINE_BYTES / 2
