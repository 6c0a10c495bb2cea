"""A cut record costs one record, whatever follows it; and what damage leaves in doubt is told."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from damaged import STORED, convert, flipped, inflated, lines, record, zstd


def pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2)


def indented(text: str, by: str) -> str:
    return "\n".join(by + line for line in text.split("\n"))


NEXT = record(1)
SPACED = NEXT.replace("{", "{ ", 1)
# How the record after a cut one may begin.
NEXT_ONES = {
    "at the margin": NEXT, "after a blank": f" {NEXT}", "after a tab": f"\t{NEXT}", "after a BOM": f"\ufeff{NEXT}", "spaced": SPACED,
    "spaced after blanks": f"   {SPACED}", "pretty": pretty(NEXT), "pretty and indented": indented(pretty(NEXT), "  "),
    "pretty after a BOM": f"\ufeff{pretty(NEXT)}", "after an empty line": f"\n {NEXT}", "with a line break of Windows": f" {NEXT}\r",
}  # fmt: skip
CUT = record(7, odd=[1, [2], {"a": {"b": []}}])
CUT_ONES = {"compact": CUT, "pretty": pretty(CUT)}


@pytest.mark.parametrize("shape", CUT_ONES)
@pytest.mark.parametrize("following", NEXT_ONES)
def test_a_cut_record_costs_one_record(shape: str, following: str, tmp_path: Path) -> None:
    """Cut at whatever character, a record is one reject, and the records after it are written."""
    text = CUT_ONES[shape]
    contents = {
        f"{cut:04}.json": f"{text[:cut]}\n{NEXT_ONES[following]}\n{record(2)}\n".encode()
        for cut in range(1, len(text))
    }
    found = convert(tmp_path, contents)
    rejected = Counter(reject["file"] for reject in found.rejects)
    swallowed = [name for name, counts in found.files.items() if counts["written"] != 2]
    assert swallowed == []
    assert [name for name, count in rejected.items() if count != 1] == []
    assert {reject["line"] for reject in found.rejects} == {1}


def test_a_cut_record_costs_one_record_of_a_line(tmp_path: Path) -> None:
    """In records that run together on a line, a cut one is one reject, and those before and after it are written."""
    contents = {
        f"{cut:04}.json": f"{NEXT}{CUT[:cut]}{NEXT}{record(2)}\n".encode() for cut in range(1, len(CUT))
    }
    found = convert(tmp_path, contents)
    rejected = Counter(reject["file"] for reject in found.rejects)
    assert [name for name, counts in found.files.items() if counts["written"] != 3] == []
    assert [name for name, count in rejected.items() if count != 1] == []
    assert {reject["raw"] for reject in found.rejects} == {CUT[:cut] for cut in range(1, len(CUT))}


def test_several_cut_records(tmp_path: Path) -> None:
    """Of many cut records, one after the other, each is a reject of its own, at its own line."""
    text = "".join(f"{CUT[:cut]}\n {record(cut)}\n" for cut in range(1, len(CUT)))
    found = convert(tmp_path, {"a.json": text.encode()})
    assert [reject["line"] for reject in found.rejects] == [2 * at + 1 for at in range(len(CUT) - 1)]
    assert found.report["events"]["written"] == len(CUT) - 1


def test_damage_is_named_at_its_own_line(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is named at the line where it stands, in records and in rows that reach over several; the record is kept whole."""
    lined = pretty(record(3)).encode().replace(b'"number": "3"', b'"number": "\xff"').split(b"\n")
    place = next(at for at, line in enumerate(lined) if b"\xff" in line)
    found = convert(tmp_path, {"a.json": lines(2) + b"\n".join(lined) + b"\n" + lines(1)})
    (reject,) = found.rejects
    assert (reject["line"], reject["code"]) == (3 + place, "bad_encoding")
    assert f"at byte {lined[place].index(0xFF) + 1} of the line" in reject["message"]
    assert base64.b64decode(reject["raw"]["base64"]) == b" ".join(lined)
    assert found.report["events"]["written"] == 3
    rows = b'USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,1460000000,"a\nb\xff\nc"\nu,i,1460000000,a\n'
    table = convert(
        tmp_path / "table", {"a.csv": rows}, from_="personalize/interactions", to="personalize/interactions"
    )
    assert table.places == [(3, "bad_encoding")]


def doubted(found) -> int:
    return sum(
        finding["events"] for finding in found.report["findings"] if finding["code"] == "may_be_altered"
    )


@pytest.mark.parametrize("position", [len(STORED) - 8, len(STORED) - 4, len(STORED) * 3 // 4])
def test_what_precedes_damage_may_be_altered(position: int, size: str, tmp_path: Path) -> None:
    """After a failed checksum the message says that what precedes it may be altered, and the report counts the events of that member."""
    whole = gzip.compress(lines(3), mtime=0)
    content = {
        "a.gz": whole + flipped(STORED, position),
        "b.gz": whole,
        "c.gz": flipped(whole, len(whole) - 8),
    }
    found = convert(tmp_path, content)
    first, last = found.rejects[-2:] if found.rejects[-1]["file"] == "c.gz" else (None, None)
    assert first["file"] == "a.gz"
    for reject in (first, last):
        assert reject["message"].endswith("what precedes it in its part may be altered, what follows is lost")
    assert doubted(found) == found.files["a.gz"]["written"] - 3 + 3
    assert found.files["a.gz"]["written"] >= 3 + inflated(STORED[:position])[:20].count(b"\n")


def test_what_precedes_a_cut_is_not_doubted(size: str, tmp_path: Path) -> None:
    """What is only cut off was not altered, as far as anybody can tell."""
    found = convert(tmp_path, {"a.gz": STORED[:-9], "b.gz": STORED + b"junk"})
    assert doubted(found) == 0
    assert all("altered" not in reject["message"] for reject in found.rejects)


def test_doubt_in_layers_and_in_zstd(size: str, tmp_path: Path) -> None:
    """Compressed twice, it is the lines of the text that are counted, and only where no inner checksum vouches for them; zstd is alike."""
    stored = zstd(lines(40))
    outer = gzip.compress(STORED, mtime=0)
    found = convert(tmp_path, {"a.gz": flipped(outer, len(outer) - 8)})
    assert (found.files["a.gz"]["written"], doubted(found)) == (
        40,
        0,
    )  # the checksum of the text itself is right
    found = convert(tmp_path / "inner", {"a.gz": gzip.compress(flipped(STORED, len(STORED) - 8))})
    assert (found.files["a.gz"]["written"], doubted(found)) == (40, 40)
    found = convert(tmp_path / "zstd", {"a.zst": flipped(stored, len(stored) - 2)})
    assert doubted(found) == found.files["a.zst"]["written"]
    if found.rejects:
        assert "checksum" in found.rejects[0]["message"].lower() or "altered" in found.rejects[0]["message"]


def test_a_byte_that_is_no_text_costs_one_of_the_records_of_a_line(engine: str, tmp_path: Path) -> None:
    """Of records that run together on a line each that is text is read, also after one that is cut off."""
    first, second, third, fourth = lines(4).splitlines()
    broken = second.replace(b'"', b'"\xff', 1)
    content = first + broken + third[:-9] + fourth + b"\n" + first + b"\n"
    found = convert(tmp_path, {"a.json": content})
    assert found.files["a.json"]["written"] == 3
    at = len(first) + broken.index(b"\xff") + 1
    (reject,) = [each for each in found.rejects if each["code"] == "bad_encoding"]
    assert reject["message"] == f"is not UTF-8 text: invalid start byte at byte {at} of the line"
    assert base64.b64decode(reject["raw"]["base64"]) == broken
    assert {each["line"] for each in found.rejects} == {1}
