"""Records and files that are damaged in every way that an archive has been seen, or can be imagined, to be."""

import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass

import polars as pl

import translate

ARCHIVE = "mobile_analytics/archive"
LEVEL = re.compile(r"Level (\d+)")
APP = "0123456789abcdef0123456789abcdef"
TIME = 1487973802507


def record(number=0, **changes):
    """Give a line of a Mobile Analytics archive; changes of `None` take a field away."""
    fields = {
        "event_type": f"Level {number}",
        "event_timestamp": TIME + number,
        "application": {"app_id": APP},
        "client": {"client_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"},
        "attributes": {"number": str(number)},
        "metrics": {"score": number},
        **changes,
    }
    return json.dumps(
        {name: value for name, value in fields.items() if value is not None}, separators=(",", ":")
    )


def metric(literal):
    """Give a record whose metric is spelled in a certain way."""
    return record(7).replace('"score":7', f'"score":{literal}')


def attribute(member):
    """Give a record with a certain member among its attributes."""
    return record(7).replace('"number":"7"', member)


def lines(count, start=0):
    """Give the text of so many good records."""
    return "".join(record(number) + "\n" for number in range(start, start + count)).encode()


def flipped(stored, position):
    """Flip the bits of one byte."""
    return stored[:position] + bytes([stored[position] ^ 0xFF]) + stored[position + 1 :]


# Refused records: what stands in the line, and the reason code.
REFUSED = {
    "cut off": (record(7)[:-30], "incomplete"),
    "no quote": (record(7).replace('"event_type"', "event_type"), "bad_json"),
    "single quotes": (record(7).replace('"', "'"), "bad_json"),
    "trailing comma": (record(7)[:-1] + ",}", "bad_json"),
    "no JSON": ("Traceback (most recent call last):", "bad_json"),
    "like zlib": ("x\x01 is how compressed text may begin", "bad_json"),
    "control character": (attribute('"number":"a\x01b"'), "bad_json"),
    "array": ("[1,2]", "not_a_record"),
    "array of records": (f"[{record(7)}]", "not_a_record"),
    "number": ("17", "not_a_record"),
    "text": ('"Level 7"', "not_a_record"),
    "null": ("null", "not_a_record"),
    "no name": (record(7, event_type=None), "missing_required"),
    "no time": (record(7, event_timestamp=None), "missing_required"),
    "null time": (record(7).replace(str(TIME + 7), "null"), "missing_required"),
    "empty object": ("{}", "missing_required"),
    "time as text": (record(7, event_timestamp=str(TIME)), "bad_time"),
    "time as flag": (record(7, event_timestamp=True), "bad_time"),
    "name as object": (record(7, event_type={"a": 1}), "wrong_type"),
    "client as array": (record(7, client=[]), "wrong_type"),
    "attributes as text": (record(7, attributes="a"), "wrong_type"),
    "metrics as number": (record(7, metrics=1), "wrong_type"),
    "time over 64 bits": (record(7, event_timestamp=2**63), "bad_time"),
    "NaN": (metric("NaN"), "bad_number"),
    "Infinity": (metric("Infinity"), "bad_number"),
    "-Infinity": (metric("-Infinity"), "bad_number"),
    "1e400": (metric("1e400"), "bad_number"),
    "boundless exponent": (metric("1e99999999999999999999"), "bad_number"),
    "NaN in a list": (attribute('"number":[NaN]'), "bad_number"),
    "lone surrogate": (attribute(r'"number":"\ud83d"'), "bad_text"),
    "lone surrogate in a key": (attribute(r'"\ude00":"a"'), "bad_text"),
    "lone surrogate in an unknown key": (
        record(7).replace('"client":{', r'"client":{"\ud83d":1,'),
        "bad_text",
    ),
    "lone surrogate in a wrong type": (record(7).replace('"Level 7"', r'["\ud83d"]'), "wrong_type"),
    "seconds": (record(7, event_timestamp=TIME // 1000), "time_implausible"),
    "microseconds": (record(7, event_timestamp=TIME * 1000), "time_implausible"),
    "negative time": (record(7, event_timestamp=-1), "time_implausible"),
    "year 10000": (record(7, event_timestamp=253402300800000), "time_implausible"),
    "largest time": (record(7, event_timestamp=2**63 - 1), "time_implausible"),
    "deep nesting": (attribute(f'"number":{"[" * 900}{"]" * 900}'), "bad_json"),
    "deepest nesting": (
        record(7).replace('"client"', f'"odd":{"[" * 99999}{"]" * 99999},"client"'),
        "bad_json",
    ),
}

# Odd records that are taken: what stands in the line, and what the identity conversion makes of it.
TAKEN = {
    "40 digits": (metric("9" * 40), f'"score":{"9" * 40}}}'),
    "5,000 digits": (metric("-" + "1234567890" * 500), f'"score":-{"1234567890" * 500}}}'),
    "64 bits and one": (metric(str(2**64 + 1)), f'"score":{2**64 + 1}}}'),
    "negative zero": (metric("-0"), '"score":0}'),
    "negative zero as a double": (metric("-0.0"), '"score":0}'),
    "whole double": (metric("1.0"), '"score":1}'),
    "exponent": (metric("1E5"), '"score":100000}'),
    "boundlessly small": (metric("1e-99999999999999999999"), '"score":0}'),
    "boundlessly nothing": (metric("0e99999999999999999999"), '"score":0}'),
    "time with exponent": (
        record(7).replace(str(TIME + 7), "1.487973802514e12"),
        f'"event_timestamp":{TIME + 7},',
    ),
    "whole surrogate pair": (attribute(r'"number":"\ud83d\ude00"'), '"number":"😀"'),
    "NUL": (attribute(r'"number":"a\u0000b"'), r'"number":"a\u0000b"'),
    "line separators": (attribute('"number":"a\u2028\u0085b"'), '"number":"a\u2028\u0085b"'),
    "empty text": (attribute('"number":""'), '"number":""'),
    "unknown field": (record(7, odd={"a": [1, None, "ü"]}), '"odd":{"a":[1,null,"ü"]}'),
    "nesting": (attribute(f'"number":{"[" * 150}{"]" * 150}'), f'"number":"{"[" * 150}{"]" * 150}"'),
}

GOOD = lines(3)
PRETTY = json.dumps(json.loads(record(1)), indent=2).encode()
BROKEN_PRETTY = PRETTY.replace(b'"Level 1"', b"Level 1")
CUT_PRETTY = PRETTY[: PRETTY.index(b"attributes") - 1]
BAD_UTF8 = record(7).encode().replace(b'"number":"7"', b'"number":"\xff\xfe"')

# Texts: what the file holds, how many records are written, and the rejects as line and code.
TEXTS = {
    "blank lines": (b"\n\n" + lines(1) + b"\n \t\r\n" + lines(1) + b"\n\n", 2, []),
    "BOM": (b"\xef\xbb\xbf" + GOOD, 3, []),
    "BOM in the middle": (lines(1) + b"\xef\xbb\xbf" + lines(2), 3, []),
    "CRLF": (GOOD.replace(b"\n", b"\r\n") + b"{\r\n", 3, [(4, "incomplete")]),
    "no newline at the end": (GOOD.rstrip(), 3, []),
    "invalid UTF-8": (lines(2) + BAD_UTF8 + b"\n" + GOOD, 5, [(3, "bad_encoding")]),
    "two records on a line": (record(1).encode() * 2 + b"\n17\n" + lines(1), 3, [(2, "not_a_record")]),
    "junk behind a record": (lines(1) + record(1).encode() + b" junk\n" + lines(1), 3, [(2, "bad_json")]),
    "all on one line": (GOOD.replace(b"\n", b""), 3, []),
    "two halves": (b'{"a":1\n"s":"x"}\n' + lines(1), 1, [(1, "bad_json")]),
    "over several lines": (
        lines(1) + PRETTY + b"\n" + lines(1) + b"17\n",
        3,
        [(len(PRETTY.splitlines()) + 3, "not_a_record")],
    ),
    "over several lines, indented": (PRETTY.replace(b"\n", b"\n  ").join([b"  ", b"\n"]) * 2, 2, []),
    "broken over several lines": (lines(1) + BROKEN_PRETTY + b"\n" + PRETTY + b"\n", 2, [(2, "bad_json")]),
    "cut off over several lines": (CUT_PRETTY + b"\n" + PRETTY + b"\n" + PRETTY, 2, [(1, "incomplete")]),
    "cut off in a text": (PRETTY[:20] + b"\n" + PRETTY + b"\n" + PRETTY, 2, [(1, "incomplete")]),
    "cut off, the next indented": (
        record(1)[:40].encode() + b"\n " + record(1).encode() + b"\n" + lines(1),
        2,
        [(1, "incomplete")],
    ),
    "invalid UTF-8 over several lines": (
        lines(1) + PRETTY.replace(b"Level", b"\xff") + b"\n" + lines(1),
        2,
        [(3, "bad_encoding")],
    ),
    "only damage": (b"\xff\n", 0, [(1, "bad_encoding")]),
    "much damage first": (b"junk\n" * 200 + lines(1), 1, [(line, "bad_json") for line in range(1, 201)]),
}

STORED = gzip.compress(lines(40), mtime=0)

# Compressed files: what the file holds, how many records are written at least, and the rejects as codes.
COMPRESSED = {
    "sound": (STORED, 40, []),
    "members": (gzip.compress(lines(20)) + gzip.compress(lines(20)), 40, []),
    "a record over two members": (gzip.compress(lines(2)[:-20]) + gzip.compress(lines(2)[-20:]), 2, []),
    "twice": (gzip.compress(STORED), 40, []),
    "thrice": (gzip.compress(gzip.compress(STORED)), 40, []),
    "not at all": (lines(40), 40, []),
    "empty": (b"", 0, []),
    "empty text": (gzip.compress(b""), 0, []),
    "padded with zeros": (STORED + bytes(5000), 40, []),
    "zeros between members": (STORED + bytes(512) + STORED, 80, []),
    "trailing junk": (STORED + b"junk", 40, ["damaged_file"]),
    "trailing records": (STORED + lines(1), 40, ["damaged_file"]),
    "junk after an open line": (gzip.compress(lines(2)[:-20]) + b"junk", 1, ["incomplete", "damaged_file"]),
    "no checksum": (STORED[:-8], 40, ["damaged_file"]),
    "wrong checksum": (flipped(STORED, len(STORED) - 8), 40, ["damaged_file"]),
    "twice, the inner cut": (gzip.compress(STORED[:-8]), 40, ["damaged_file"]),
    "twice, the outer cut": (gzip.compress(STORED)[:-8], 40, ["damaged_file"]),
    "only the magic": (b"\x1f\x8b", 0, ["damaged_file"]),
    "second member broken": (STORED + flipped(STORED, 12), 40, ["damaged_file"]),
    "run together and cut": (gzip.compress(lines(40).replace(b"\n", b""))[:-8], 40, ["damaged_file"]),
}


def inflated(stored):
    """Give what zlib makes of a gzip stream that was cut."""
    return zlib.decompressobj(wbits=31).decompress(stored)


def zstd(text):
    """Compress as the engine does."""
    target = io.BytesIO()
    pl.LazyFrame({"text": text.decode().split("\n")[:-1]}).sink_csv(
        target, include_header=False, quote_style="never", compression="zstd", check_extension=False
    )
    return target.getvalue()


@dataclass
class Outcome:
    """What a run left behind."""

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
    rows = [
        row
        for part in sorted((out / "data").iterdir())
        for row in part.read_bytes().decode().split("\n")[:-1]
    ]
    rejects = [json.loads(line) for line in (out / "rejects.ndjson").read_bytes().decode().split("\n")[:-1]]
    by_file = [json.loads(line) for line in (out / "files.ndjson").read_text().split("\n")[:-1]]
    total = Counter()
    for counts in [*by_file, report["events"]]:
        went_in = counts["read"] + counts["added"]
        assert went_in == sum(
            counts[name] for name in ("written", "rejected", "filtered", "duplicates", "merged")
        )
    for counts in by_file:
        total.update({name: counts[name] for name in report["events"]})
    assert dict(total) == report["events"]
    assert all(list(reject) == ["file", "line", "code", "message", "raw"] for reject in rejects)
    assert Counter(reject["file"] for reject in rejects) == {
        file["path"]: file["rejected"] for file in by_file if file["rejected"]
    }
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
