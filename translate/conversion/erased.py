"""Shows that nobody who was to be erased stands in what a run wrote, or where: all of its files are read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from translate import events
from translate.conversion.lines_file import LinesFile
from translate.conversion.output import OWNER_ONLY, REPORT, STATE
from translate.conversion.report import LISTED_STANDS, RunReport
from translate.engine.joined import lines_of
from translate.recipe.erasure import OPTION, Erasing, Erasure, Traces, is_like_hash
from translate.recipe.privacy import KEY

PLACES_MAX = 1000
READ_BYTES = 1 << 20
BETWEEN = "\x1f"  # the texts of a row
STANDS = "lines of what was written in which a listed id stands: see `erasure` in the report"
HASHES = f"listed texts that look like keyed hashes, looked for as they are: {KEY} is not set"
WITHHELD = "rejects without their text and message, for these tell of somebody listed, or may do so"


def note_unit(erasing: Erasing, report: RunReport, note: Path) -> None:
    """Tell in a unit's report what was withheld, and keep for the proof, and for nobody else, who was met."""
    report.find("rejects_withheld", WITHHELD, erasing.withheld)
    lines = LinesFile(note, mode=OWNER_ONLY)
    lines.write(json.dumps(dict(sorted(erasing.met.items())), ensure_ascii=False).encode())
    lines.close()


class Proof:
    """Looks through what a run has written."""

    def __init__(self, erasure: Erasure, notes: Iterable[Path]) -> None:
        self._erasure = erasure
        self._met: dict[str, int] = {}
        for note in notes:
            self._met |= json.loads(note.read_bytes())

    def told(self, directory: Path, total: RunReport, head: dict[str, Any]) -> dict[str, Any]:
        """Give what the report says of it, having looked at the rest of the report too, and find what has to be settled."""
        traces = Traces({**self._erasure.wanted, **self._met})
        files = lines = found = 0
        places: list[dict[str, Any]] = []
        for file in _written(directory):
            name, before = file.relative_to(directory).as_posix(), 0
            for block in _blocks(file):
                for line, listed in traces.places(block, is_json="json" in name):
                    found += 1
                    if found <= PLACES_MAX:
                        places.append({"file": name, "line": before + line + 1, "listed": listed})
                before += block.count(b"\n")
            files, lines = files + 1, lines + before
        self._find_hashes(total)
        here = list(traces.places(_report(total, head)))
        total.find(LISTED_STANDS, STANDS, found + len(here))
        report = _report(total, head)  # with the lines of what was found
        places += [
            {"file": REPORT, "line": line + 1, "listed": listed} for line, listed in traces.places(report)
        ]
        return {
            "listed": len(self._erasure.lines),
            "met": len(set(self._met.values())),
            "events": total.filtered[OPTION],
            "looked_through": {"files": files + 1, "lines": lines + report.count(b"\n") + 1},
            "found": found + len(here),
            "places": places,
        }

    def _find_hashes(self, total: RunReport) -> None:
        if self._erasure.key is None:
            hashes = sum(map(is_like_hash, self._erasure.lines))
            total.find("hashes_without_key", HASHES, hashes)


def _report(total: RunReport, head: dict[str, Any]) -> bytes:
    return json.dumps({**total.to_json(), **head}, indent=2, ensure_ascii=False).encode()


def _written(directory: Path) -> list[Path]:
    files = [file for file in directory.rglob("*") if file.is_file()]
    return sorted(file for file in files if not file.relative_to(directory).parts[0].startswith(STATE))


def _blocks(file: Path) -> Iterator[bytes]:
    """Give the text of a file in whole lines; of Parquet a line a row."""
    if file.suffix not in (".gz", ".zst", ".parquet"):
        with file.open("rb") as content:
            while block := content.read(READ_BYTES):
                yield block + content.readline()
        return
    is_table = file.suffix == ".parquet"
    rows = (
        _rows(pl.scan_parquet(file, glob=False)) if is_table else pl.scan_lines(file, name="text", glob=False)
    )
    for batch in rows.collect_batches(maintain_order=True, engine="streaming"):
        with lines_of(batch["text"]) as text:
            yield bytes(text)


def _rows(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Put all that is text in a row of the hub together, the keys of its maps among it."""
    schema = frame.collect_schema()
    maps = [pl.col(name).map for name, dtype in schema.items() if dtype == events.MAP]
    lists = [*(each.keys() for each in maps), *(each.values() for each in maps)]
    cells = [*(pl.col(name) for name, dtype in schema.items() if dtype == events.TEXT),
             *(each.list.join(BETWEEN, ignore_nulls=True) for each in lists)]  # fmt: skip
    text = pl.concat_str(cells, separator=BETWEEN, ignore_nulls=True)
    return frame.select(text=text.str.replace_all("\n", " ", literal=True))
