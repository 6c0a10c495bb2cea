"""Bytes that look like separators are bytes: in cells, keys and texts they arrive as they are."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from damaged import convert, lines, record, zstd
from hypothesis import example, given
from hypothesis import strategies as st

import translate
from translate.archive import table

SIGNS = {
    "U+001E": "\x1e",
    "U+001F": "\x1f",
    "U+001D": "\x1d",
    "U+2028": "\u2028",
    "U+2029": "\u2029",
    "U+0085": "\x85",
    "NUL": "\0",
    "VT": "\x0b",
}
PLACES = {
    "alone": "{}",
    "first": "{}n",
    "last": "m{}",
    "inside": "a{}nb{}m",
    "twice": "{}{}",
    "with a line break": "a{}\nn{}",
    "before a line break": "{}\n{}",
}


SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
SAMPLES = {
    "clickstream/raw": (SAMPLE_DATA / "clickstream/raw_minimal.jsonl").read_text().rstrip(),
    "clickstream/requests": (SAMPLE_DATA / "clickstream/requests_minimal.jsonl").read_text().splitlines()[0],
}


@pytest.mark.parametrize("sign", SIGNS)
def test_cells_of_tables(sign: str, size: str, tmp_path: Path) -> None:
    """A cell is what it is, whether or not a row of its file reaches over several lines, first cells and headers included."""
    texts = [text.format(SIGNS[sign], SIGNS[sign]) for text in PLACES.values()]
    for name, chosen in (
        ("on one line each", [text for text in texts if "\n" not in text]),
        ("over several", texts),
    ):
        source = tmp_path / name.replace(" ", "-")
        with source.open("w", encoding="utf-8", newline="") as output:
            table = csv.writer(output, lineterminator="\n")
            table.writerow(["DEVICE", "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", f"x{SIGNS[sign]}n"])
            table.writerows(
                [text, "u", "i", 1460000000 + number, text, text] for number, text in enumerate(chosen)
            )
        folder = tmp_path / f"{source.name}-out"
        report = translate.convert(source, to="hub", out=folder, from_="personalize/interactions")
        assert (report["events"]["written"], report["rejects"]) == (len(chosen), {})
        found = pl.read_parquet(folder / "data/*.parquet")
        assert found["name"].to_list() == chosen
        translate.convert(
            source,
            to="personalize/interactions",
            out=tmp_path / f"{source.name}-back",
            from_="personalize/interactions",
        )
        with next((tmp_path / f"{source.name}-back/data").iterdir()).open(
            encoding="utf-8", newline=""
        ) as content:
            kept = [text for text in chosen if "\n" not in text]  # Personalize takes no line breaks
            assert [row["EVENT_TYPE"] for row in csv.DictReader(content)] == kept


def test_rejects_of_tables(size: str, tmp_path: Path) -> None:
    """A row that is refused keeps its own text, signs and line breaks."""
    rows = ['u,i,1460000000,"a\n\x1eb"', '\x1en,"x\n\x1em",1460000000', "\x1en,i,soon,a", "u,i,1460000000,a"]
    (tmp_path / "a.csv").write_bytes(
        ("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n" + "".join(f"{row}\n" for row in rows)).encode()
    )
    report = translate.convert(
        tmp_path / "a.csv", to="hub", out=tmp_path / "out", from_="personalize/interactions"
    )
    rejects = [
        json.loads(line)
        for line in (tmp_path / "out/rejects.ndjson").read_text(encoding="utf-8").split("\n")
        if line
    ]
    assert [(reject["line"], reject["raw"]) for reject in rejects] == [(4, rows[1]), (6, rows[2])]
    assert report["events"]["written"] == 2


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("raw", [False, True])
def test_keys_and_texts_of_records(sign: str, size: str, tmp_path: Path, raw: bool) -> None:
    """Keys and texts of JSON keep them too, escaped or, where JSON allows it, as they are, also in records over several lines."""
    key, text = f"a{SIGNS[sign]}b", f"{SIGNS[sign]}x{SIGNS[sign]}"
    if raw and SIGNS[sign] < " ":
        pytest.skip("JSON does not allow it")
    one = record(1, attributes={key: text}, odd={key: text})
    one = json.dumps(json.loads(one), ensure_ascii=not raw)
    pretty = json.dumps(json.loads(one), ensure_ascii=not raw, indent=1)
    found = convert(tmp_path, {"a.json": f"{one}\n{pretty}\n".encode()})
    assert found.places == []
    for row in map(json.loads, found.rows):
        assert (row["attributes"], row["odd"]) == ({key: text}, {key: text})


def skipped(number: int, content: bytes = b"about") -> bytes:
    """Give a frame of zstd that holds no text."""
    return bytes([0x50 + number]) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


STORED = zstd(lines(3))
FRAMES = {
    "before": (skipped(0) + STORED, 3, []), "two before": (skipped(15) + skipped(3, b"") + STORED, 3, []),
    "between": (STORED + skipped(1) + STORED, 6, []), "behind": (STORED + skipped(2), 3, []), "alone": (skipped(4), 0, []),
    "cut": (skipped(0)[:-2], 0, ["damaged_file"]), "before what is cut": (skipped(0) + STORED[:-9], 0, ["damaged_file"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_hold_no_text(name: str, size: str, tmp_path: Path) -> None:
    """A file that begins with a frame of zstd that is to be skipped is a file of zstd."""
    content, written, rejects = FRAMES[name]
    found = convert(tmp_path, {"a": content, "b.zst": lines(1)})
    assert (found.files["a"]["written"], [reject["code"] for reject in found.rejects]) == (written, rejects)
    assert found.files["b.zst"]["written"] == 1


@pytest.mark.parametrize("cut", ["", "\n"])
@pytest.mark.parametrize("layout", SAMPLES)
def test_a_line_that_begins_with_the_sign_of_joined_rows(
    layout: str, cut: str, engine: str, tmp_path: Path
) -> None:
    """It is no JSON, whether records of its file reach over lines or not, and its keys are counted as those of others are."""
    sample, signs = SAMPLES[layout], ["\x1e", "\x1em", "\x1e\x1e"]
    texts = [sample[:30] + cut, sample.replace(":", ":\t\x1e", 1), *(sign + sample for sign in signs), sample]
    found = convert(
        tmp_path, {"a.json": "\n".join(texts).encode()}, from_=layout, to="clickstream", census=True
    )
    assert found.report["events"]["written"] == 1
    raws = [reject["raw"].rstrip() for reject in found.rejects]
    assert raws == [text.rstrip() for text in texts[:-1]]
    assert {reject["code"] for reject in found.rejects[1:]} == {"bad_json"}


@given(st.text('a,"é\r\x1e', max_size=12))
@example('"",a,"b""c",')
@example('a"b",c')
@example('"a"b')
@example('"a')
def test_plain_rows_are_taken_apart_as_others_are(line: str) -> None:
    """Where quotes stand in their places a row is taken apart at once, into the same cells; and it ends where others do."""
    at_once = table.cells(line), table.is_open(line, inside=False), table.is_open(line, inside=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_plain_cells", lambda _: None)
        assert at_once == (
            table.cells(line), table.is_open(line, inside=False), table.is_open(line, inside=True)
        )  # fmt: skip
