"""Shows that nobody who was to be erased stands in what a conversion or a replay wrote, or where: all of it is read again, or while it passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import polars as pl

from translate import events
from translate.conversion import persistence
from translate.conversion.lines_file import LinesFile
from translate.conversion.output import DATA, OWNER_ONLY, REPORT, STATE
from translate.conversion.report import RunReport
from translate.engine.texts import lines_of
from translate.errors import UsageError
from translate.recipe.erasure import OPTION, Erasing, Erasure, Traces, is_like_hash, listed_in
from translate.recipe.privacy import KEY
from translate.vocabulary.notes import LISTED_STANDS

if TYPE_CHECKING:
    from translate.conversion.run import Conversion

Proving = Callable[[RunReport, dict[str, Any]], dict[str, Any]]
PLACES_MAX = 1000
READ_BYTES = 1 << 20
BETWEEN = "\x1f"  # the texts of a row
STANDS = "lines of what was written in which a listed id stands: see `erasure` in the report"
HASHES = f"listed texts that look like keyed hashes, looked for as they are: {KEY} is not set"
CONVERTED = "converted"
KNOWN = "erased.json"  # what events had for the hashes of a list, until all is sent
LOCK, UNFINISHED = "lock", ".new"
PUT_BACK = "put it back, or name another folder to begin anew"
ANOTHER_LIST = "is converted already, and {what}, so --erase comes too late; convert it anew with it"


def in_order(files: Iterable[PurePath]) -> list[str]:
    """Name files below a target in sorted order, but for those of its state."""
    return [file.as_posix() for file in sorted(files) if not file.parts[0].startswith(STATE)]


def note_unit(erasing: Erasing, note: Path) -> None:
    """Keep for the proof of a unit, and for nobody else, who was met."""
    wanted = erasing.erasure.wanted
    texts = {text: line for text, line in sorted(erasing.met.items()) if text not in wanted}
    _keep(note, {"lines": sorted(set(erasing.met.values())), "texts": texts})


def _keep(file: Path, told: dict[str, Any]) -> None:
    """Keep something that only the owner of a run may read."""
    lines = LinesFile(file, mode=OWNER_ONLY)
    lines.write(json.dumps(told, ensure_ascii=False).encode())
    lines.close()


@dataclass(frozen=True)
class LookedThrough:
    """What was looked through: its name, its lines, in how many of them somebody listed stands, and the first of these places."""

    name: str
    lines: int
    found: int
    places: list[dict[str, Any]]


class Looking:
    """Looks through a text that comes in pieces, line by line."""

    def __init__(self, traces: Traces, name: str, *, is_json: bool = True) -> None:
        self._traces, self._name, self._is_json = traces, name, is_json
        self._lines = self._found = 0
        self._places: list[dict[str, Any]] = []
        self._rest = b""

    def add(self, text: bytes | memoryview) -> None:
        """Take in a piece; a line that it cuts waits for its end."""
        given = self._rest + bytes(text)
        end = given.rfind(b"\n") + 1
        self._rest = given[end:]
        self._look(given[:end])

    def add_file(self, file: Path) -> None:
        """Take in a file."""
        for block in _blocks(file):
            self.add(block)

    def _look(self, block: bytes) -> None:
        for line, listed in self._traces.places(block, is_json=self._is_json):
            self._found += 1
            if self._found <= PLACES_MAX:
                self._places.append({"file": self._name, "line": self._lines + line + 1, "listed": listed})
        self._lines += block.count(b"\n")

    def end(self) -> LookedThrough:
        """Tell what was seen, once all is in."""
        if self._rest:
            self.add(b"\n")
        return LookedThrough(self._name, self._lines, self._found, self._places)


class Proof:
    """Looks for all that were to be erased: by their ids, and by what the events of a run had for their hashes."""

    def __init__(self, erasure: Erasure, notes: Iterable[Path] = ()) -> None:
        self._erasure = erasure
        self._met: set[int] = set()
        self.texts: dict[str, int] = {}  # what the list has hashes of
        for note in notes:
            told = json.loads(note.read_bytes())
            self._met |= set(told["lines"])
            self.texts |= told["texts"]

    def meet(self, erasing: Erasing) -> None:
        """Take in whom events met that nobody keeps a note of."""
        self._met |= set(erasing.met.values())

    def keep(self, file: Path) -> None:
        """Keep what events had for hashes, for whoever goes on to look for it, and for nobody else."""
        _keep(file, self.texts)

    @cached_property
    def traces(self) -> Traces:
        """Look for all of them."""
        return traces_of(self._erasure, self.texts)

    def of_run(self, run: Conversion, total: RunReport, head: dict[str, Any]) -> dict[str, Any]:
        """Read all again that a run has written, by its crew where that reads."""
        output, names = run.output, in_order(run.output.written())
        crew = run.crew if run.crew and run.crew.looks_through else None
        theirs = [name for name in names if name.startswith(f"{DATA}/")] if crew else []
        seen = crew.look_through(run, theirs, self.texts) if crew and theirs else []
        seen += look_through(output.at_hand, [name for name in names if name not in theirs], self.traces)
        order = {name: place for place, name in enumerate(names)}
        return self.told(sorted(seen, key=lambda each: order[each.name]), total, head)

    def told(
        self, seen: Iterable[LookedThrough], total: RunReport, head: dict[str, Any], *, name: str = REPORT
    ) -> dict[str, Any]:
        """Give what the report says of it, having looked through the report too, and find what has to be settled."""
        parts = [*seen]
        here = [place for each in parts for place in each.places]
        if self._erasure.key is None:
            hashes = sum(map(is_like_hash, self._erasure.lines))
            total.find("hashes_without_key", HASHES, hashes)
        found = sum(each.found for each in parts) + self._seen_in(total, head, name).found
        total.find(LISTED_STANDS, STANDS, found)
        parts.append(self._seen_in(total, head, name))  # with the lines of what was found
        return {
            "listed": len(self._erasure.lines),
            "met": len(self._met),
            "events": total.filtered[OPTION],
            "looked_through": {"files": len(parts), "lines": sum(each.lines for each in parts)},
            "found": found,
            "places": [*here[:PLACES_MAX], *parts[-1].places],
        }

    def _seen_in(self, total: RunReport, head: dict[str, Any], name: str) -> LookedThrough:
        look = Looking(self.traces, name)
        look.add(json.dumps({**total.to_json(), **head}, indent=2, ensure_ascii=False).encode())
        return look.end()


def proof_of(run: Conversion, notes: Iterable[Path]) -> Proving | None:
    """Give what proves a run at its end, if people were to be erased; their hashes' texts are kept for whoever goes on with it."""
    erasure = run.job.selection.erase
    if erasure is None:
        return None
    proof = Proof(erasure, filter(Path.exists, notes))
    if run.kept_texts is not None:
        proof.keep(run.kept_texts)
    return partial(proof.of_run, run)


def traces_of(erasure: Erasure, texts: dict[str, int]) -> Traces:
    """Look for what is wanted, and for texts beside it."""
    return Traces({**erasure.wanted, **texts}) if texts else erasure.traces


def look_through(
    at_hand: Callable[[str], AbstractContextManager[Path]], names: Iterable[str], traces: Traces
) -> list[LookedThrough]:
    """Read files again, one after the other."""
    seen = []
    for name in names:
        look = Looking(traces, name, is_json="json" in name)
        with at_hand(name) as file:
            look.add_file(file)
        seen.append(look.end())
    return seen


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


@dataclass(frozen=True)
class ErasedReplay:
    """Those who are left out of a replay, and what its conversion proved of the `rows` that it left."""

    erasure: Erasure
    told: dict[str, Any]
    rows: str

    @classmethod
    def of_converted(cls, source: Path, report: dict[str, Any], erase: Any) -> ErasedReplay:
        """Take a directory that was converted with the same list; raise UsageError for another one."""
        erasure = listed_in(erase)
        if report.get("selection", {}).get("erase") != erasure.described():
            raise UsageError(f"{source}: {ANOTHER_LIST.format(what='not with this list')}")
        if erasure.is_by_hash:
            raise UsageError(
                f"{source}: for whom the hashes of {OPTION} stand, only its conversion knew: name its source in its place"
            )
        return cls(erasure, report["erasure"], f"{source}/")

    def told_of(self, folder: Path, report: dict[str, Any]) -> dict[str, Any]:
        """Give what the report says of rows, journal, answers, refused events and itself, as it lies in the folder afterwards."""
        known = folder / KNOWN
        if self.erasure.is_by_hash and not known.exists():
            return self._as_before(folder)
        texts = persistence.read_values(known, PUT_BACK) if known.exists() else {}
        traces = traces_of(self.erasure, texts)
        parts = look_through(lambda name: nullcontext(folder / name), _written(folder), traces)
        own = Looking(traces, REPORT)
        own.add(json.dumps(report, indent=1, ensure_ascii=False).encode())
        parts.append(own.end())
        looked, rows = self.told["looked_through"], self.told["places"]
        places = [{**place, "file": f"{self.rows}{place['file']}"} for place in rows]
        places += [place for each in parts for place in each.places]
        lines = looked["lines"] + sum(each.lines for each in parts)
        return {
            **self.told,
            "looked_through": {"files": looked["files"] + len(parts), "lines": lines},
            "found": self.told["found"] + sum(each.found for each in parts),
            "places": places[:PLACES_MAX],
        }

    def _as_before(self, folder: Path) -> dict[str, Any]:
        """Give what was told when all was sent: since then nothing was."""
        before = persistence.read_values(folder / REPORT, PUT_BACK) if (folder / REPORT).exists() else {}
        if "erasure" not in before:
            raise UsageError(f"{folder / KNOWN}: is gone; {PUT_BACK}")
        told: dict[str, Any] = before["erasure"]
        return told


def _written(folder: Path) -> list[str]:
    """Name what lies below a journal, but for the conversion, which was looked through, and what holds those listed for now."""
    below = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    mine = (file for file in below if file.parts[0] not in (CONVERTED, KNOWN, LOCK, REPORT))
    return in_order(file for file in mine if file.suffix != UNFINISHED)


def with_erasure(report: dict[str, Any], erased: ErasedReplay | None, folder: Path) -> dict[str, Any]:
    """Give a report with what it says of those who were to be erased, last so that its lines stay where they are."""
    return {**report, "erasure": erased.told_of(folder, report)} if erased else report
