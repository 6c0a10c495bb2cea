"""Damaged archives: what is whole is converted, the rest is told with its line, and no call ends in a traceback."""

import base64
import gzip
import hashlib
from collections import Counter

import pytest
from damaged import (
    BAD_UTF8,
    COMPRESSED,
    REFUSED,
    STORED,
    TAKEN,
    TEXTS,
    convert,
    flipped,
    inflated,
    levels,
    lines,
    record,
    zstd,
)

import translate
from translate.archive import sources
from translate.archive import units as files

# -- records ------------------------------------------------------------------------------------------------------


def test_refused_records(tmp_path, size):
    """A record that cannot be read costs one record, whatever is wrong with it, and is told by line, code and text."""
    bad = list(REFUSED.values())
    text = "".join(f"{line}\n{record(number)}\n" for number, (line, _) in enumerate(bad))
    found = convert(tmp_path, {"a.gz": gzip.compress(text.encode())})
    assert found.places == [(2 * number + 1, code) for number, (_, code) in enumerate(bad)]
    assert [reject["raw"] for reject in found.rejects] == [line for line, _ in bad]
    assert levels(found) == list(range(len(bad)))


@pytest.mark.parametrize(
    "name", ["no JSON", "like zlib", "NaN", "1e400", "lone surrogate", "deepest nesting", "cut off"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_refused_record(tmp_path, name, place, size):
    """A bad record at the beginning, in the middle or at the end spoils no other one."""
    bad, code = REFUSED[name]
    text = [record(1), record(2)]
    text.insert(place, bad)
    found = convert(tmp_path, {"a.json": "\n".join(text).encode()}, from_=None)
    assert (found.places, levels(found)) == ([(place + 1, code)], [1, 2])


@pytest.mark.parametrize(
    ("name", "hint"), [("seconds", "as seconds"), ("microseconds", "as microseconds"), ("year 10000", None)]
)
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
    """Unknown fields, nested ones too, travel to their own layout only; elsewhere they are told by their path, as nulls are."""
    text = record(
        1, odd=5, client={"client_id": "c", "odd": {"a": 1}}, metrics={"score": 1, "none": None}, session=None
    )
    text = text.replace('"attributes"', '"device":null,"attributes"')
    same = convert(tmp_path / "same", {"a.json": text.encode()})
    other = convert(tmp_path / "other", {"a.json": text.encode()}, to="clickstream")
    assert '"odd":5' in same.rows[0]
    assert '"client":{"client_id":"c","odd":{"a":1}}' in same.rows[0]
    assert not {("odd", "not_mapped"), ("client.odd", "not_mapped")} & same.losses.keys()
    assert "odd" not in other.rows[0]
    assert (other.losses[("odd", "not_mapped")], other.losses[("client.odd", "not_mapped")]) == (1, 1)
    for found in (same, other):
        (nulls,) = [finding for finding in found.report["findings"] if finding["code"] == "explicit_nulls"]
        assert nulls["events"] == 2


@pytest.mark.parametrize("to", ["clickstream", "learning_context", "personalize", "pinpoint", "hub"])
def test_every_target(tmp_path, to):
    """What is refused does not depend on the target."""
    extreme = {"session_id": "s", "start_timestamp": 2**63 - 1, "stop_timestamp": -(2**63)}
    text = "".join(
        f"{line}\n"
        for line, _ in [*REFUSED.values(), (record(5, session=extreme, arrival_timestamp=2**62), "")]
    )
    text = text.encode() + lines(2)
    (tmp_path / "a.json").write_bytes(text)
    report = translate.convert(tmp_path / "a.json", to=to, out=tmp_path / "out")
    expected = Counter(code for _, code in REFUSED.values())
    assert not expected - Counter(report["rejects"])
    assert (
        report["events"]["rejected"] - expected.total() <= 1
    )  # a target may refuse the record with the extreme times


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
    found = convert(
        tmp_path, {"a.json": BAD_UTF8 + b"\n" + record(1).encode()[:50], "b.gz": STORED + b"junk"}
    )
    encoded = [{"base64": base64.b64encode(text).decode()} for text in (BAD_UTF8, b"junk")]
    assert [reject["raw"] for reject in found.rejects] == [encoded[0], record(1)[:50], encoded[1]]


def test_what_follows_compressed_text_is_kept(tmp_path):
    """However it is read: 300,000 bytes that are no gzip are in the reject, and of more than that a megabyte."""
    more = bytes(range(1, 251)) * 1_200
    found = convert(tmp_path, {"a.gz": STORED + more, "b.gz": STORED + b"\0" * 300_000 + more * 4})
    kept = [base64.b64decode(reject["raw"]["base64"]) for reject in found.rejects]
    assert kept == [more, (more * 4)[: 1 << 20]]


# -- compression --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed(tmp_path, name, size, monkeypatch):
    """Compression is seen through by content; a damaged rest counts as one record, and what precedes it is saved."""
    monkeypatch.setattr(files, "CHUNK", 100)
    content, written, rejects = COMPRESSED[name]
    found = convert(tmp_path, {"a.gz": content, "b.gz": STORED})
    counts = found.files["a.gz"]
    assert (counts["written"], [reject["code"] for reject in found.rejects]) == (written, rejects)
    assert {reject["file"] for reject in found.rejects} <= {"a.gz"}
    assert (found.files["b.gz"]["written"], found.files["b.gz"]["rejected"]) == (40, 0)
    assert counts["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def opened(path, tmp_path):
    """Give a file's lines and damage, as they are read where the fast way failed."""
    (found,) = sources.find([path])
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
        assert (texts, [(row + 1, one.code) for row, one in damage.items()]) == (
            expected + rest,
            [(len(expected + rest) + 1, "damaged_file")],
        ), cut
        assert damage[len(texts)].raw == ("" if rest else last), cut


def test_flipped_anywhere(tmp_path, size):
    """Wherever a byte of a gzip file is wrong, the records before it are converted, and all others told."""
    contents = {
        f"{position:04}.gz": flipped(STORED, position)
        for position in range(10, len(STORED), 3 if size == "small" else 60)
    }
    found = convert(tmp_path, contents)
    for name, counts in found.files.items():
        rejects = [reject for reject in found.rejects if reject["file"] == name]
        assert [reject["code"] for reject in rejects][-1:] == ["damaged_file"], name
        assert rejects[-1]["line"] == max(reject["line"] for reject in rejects), name
        before = inflated(contents[name][: int(name[:4])]).count(b"\n")
        assert counts["written"] >= before, name


def test_zstd(tmp_path, size):
    """Zstandard is seen through like gzip: alone, inside gzip, in several frames, and up to where it is damaged."""
    stored = zstd(lines(4000))
    found = convert(tmp_path, {
        "a.zst": stored, "b.gz": gzip.compress(stored), "c": stored * 2, "d.zst": stored[: len(stored) - 9],
        "e.zst": stored[:20], "f.zst": stored + b"junk", "g.gz": gzip.compress(stored) + b"junk",
    })  # fmt: skip
    written = {name: counts["written"] for name, counts in found.files.items()}
    assert {name: written[name] for name in "a.zst b.gz c g.gz".split()} == {
        "a.zst": 4000,
        "b.gz": 4000,
        "c": 8000,
        "g.gz": 4000,
    }
    assert written["f.zst"] == 4000
    assert 0 < written["d.zst"] < 4000
    assert [(reject["file"], reject["code"]) for reject in found.rejects] == [
        (name, "damaged_file") for name in "d.zst e.zst f.zst g.gz".split()
    ]
