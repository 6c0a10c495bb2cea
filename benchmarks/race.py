"""Races translate against its peers on a foreign archive, and prints a table.

    python benchmarks/race.py                                 all races, 1,000,000 records, 5 rounds
    python benchmarks/race.py --records 200000 --rounds 1     smaller
    python benchmarks/race.py --only convert inspect          some of them
    python benchmarks/race.py --page docs/speed.md            the page of the documentation

Each run is a whole command in a process of its own, start-up, report and digests included; rounds are interleaved, and
go the other way about every other time. Before anything is timed the outputs are compared (comparing.py, figures.py).
The peers write what translate writes, but for the ids that it makes. What they are spared: they look for no damaged or
doubled member, count nothing, write neither rejects nor report, and read numbers beyond 2^53 as they can. polars
cannot read integers of more than 38 digits, so it gets the archive with these cut, and writes attributes that are no
texts as texts. A peer that is not installed is named as such. `floor` decompresses and copies the same bytes.
Beside each layout whose events lie open it is told what a loop over orjson needs for it, as times what the same loop needs
for the archive: a layout that says in fewer bytes what the archive says costs anybody more for each of them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib  # noqa: TID251  what translate brings along would count as the contenders' memory
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import figures
from measuring import (
    PEERS,
    ROOT,
    Contender,
    FailedError,
    Measured,
    measure,
    python,
    remove,
    run,
    size_of,
    translate,
)

WALL, CPU, PEAK = "seconds", "cpu_seconds", "peak_bytes"
MEGABYTE = 1_000_000
PEER_NAMES = ("duckdb", "chdb", "polars", "orjson")
TO_CLICKSTREAM = ("--to", "clickstream/events")
FAULTS_EVERY = 100
SMALL_FILES = 4_000
DIGITS_OF_ORJSON = 300  # beyond what a double holds it refuses a line
# Personalize has a row only for what has an item.
RECIPE = 'to = "personalize"\n[[rule]]\nset.item_id = "name"\n'
# What layouts cannot be written without.
OPTIONS = {"personalize": ("--set", "tracking_id=race"), "clickstream/raw": ("--set", "day=2017-02-24")}
DONE = (0, 1)
PAGE = """# Speed

Whole commands in processes of their own, start-up, report and digests included, in interleaved rounds. The archive is as others export it:
quotes, backslashes, other scripts, JSON texts within attributes, white space behind colons, keys in changing order, long numbers. What the
peers write was compared before anything was timed; they are spared ids, counts, rejects and a report (see the head of `benchmarks/race.py`).
A ratio above 1 in the first table is slower than translate. Written by a run of

    {command}

{text}
"""
BEHIND = """
## Another run

    {command}

{text}
"""


@dataclass(frozen=True)
class Bar:
    """What was asked for, and what was measured."""

    race: str
    what: str
    value: float
    aim: float
    required: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Say if the bar was met."""
        reached = [
            self.value >= bar if self.at_least else self.value <= bar for bar in (self.aim, self.required)
        ]
        return "met" if reached[0] else "required met, aim missed" if reached[1] else "MISSED"


@dataclass
class Results:
    """What all races gave."""

    rows: list[tuple[str, Measured, Measured]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, race: str, measured: dict[str, Measured], base: str) -> None:
        """Keep the runs of a race, to be told as times one of them."""
        self.rows += [(race, each, measured[base]) for each in measured.values()]

    def bar(
        self, race: str, what: str, value: float, aim: float, required: float | None = None, **how: Any
    ) -> None:
        """Keep a bar and what was measured for it."""
        self.bars.append(Bar(race, what, value, aim, aim if required is None else required, **how))


@dataclass
class Race:
    """What every race works with."""

    records: int
    rounds: int
    scratch: Path
    results: Results
    made: dict[tuple[Any, ...], Path] = field(default_factory=dict)

    def archive(self, *, records: int = 0, compressed: bool = False, **options: int) -> Path:
        """Give an archive: its one file, or the folder of its files; made once."""
        asked = (records or self.records, compressed, *sorted(options.items()))
        if asked not in self.made:
            folder = self.scratch / f"archive-{len(self.made)}"
            words = [word for name, value in options.items() for word in (f"--{name}", value)]
            command = python(PEERS.parent / "foreign.py", folder, "--records", asked[0], *words)
            subprocess.run(
                [*command, *(["--gzip"] if compressed else [])], check=True, stdout=subprocess.DEVNULL
            )
            self.made[asked] = folder if options.get("files", 1) > 1 else next(folder.iterdir())
        return self.made[asked]

    def forget(self) -> None:
        """Remove the archives."""
        for path in self.made.values():
            shutil.rmtree(path if path.is_dir() else path.parent)
        self.made.clear()

    def measure(self, *contenders: Contender, rounds: int = 0) -> dict[str, Measured]:
        """Let contenders run in interleaved rounds."""
        return measure(list(contenders), self.scratch, rounds or self.rounds)


def converting(
    name: str, source: Path, *options: str, to: tuple[str, ...] = TO_CLICKSTREAM, **how: Any
) -> Contender:
    return Contender(
        name, lambda target: translate("convert", source, *to, "--out", target, *options), DONE, **how
    )


def against_peers(race: Race, *, compressed: bool) -> None:
    """Race against the peers, after all outputs were found to be the same."""
    name = "convert .gz" if compressed else "convert"
    source = race.archive(compressed=compressed)
    sources = {"polars": race.archive(compressed=compressed, digits=38)} if _installed("polars") else {}
    contenders = [converting("translate", source)]
    for peer in PEER_NAMES:
        if _installed(peer):
            script, read = PEERS / f"in_{peer}.py", sources.get(peer, source)
            contenders.append(Contender(peer, partial(_peer, script, read)))
        else:
            race.results.notes.append(f"{name}: {peer} is not installed, and did not run")
    race.results.notes.append(f"{name}: {_compare_outputs(race, contenders)}")
    floor = Contender("floor", partial(_peer, PEERS / "floor.py", source))
    measured = race.measure(*contenders, floor)
    race.results.add(name, measured, "translate")
    ours = measured["translate"]
    peers = [measured[each.name] for each in contenders[1:]]
    for what, said in ((WALL, "wall"), (CPU, "CPU")):
        if peers:
            fastest = min(peers, key=lambda each: each.median(what))
            told = f"times as fast as the fastest peer by {said}, {fastest.name}"
            race.results.bar(name, told, fastest.times(ours, what), 2, 1.5, at_least=True)


def _installed(peer: str) -> bool:
    return importlib.util.find_spec(peer) is not None


def _peer(script: Path, source: Path, target: Path) -> list[str]:
    return python(script, source, target)


def _compare_outputs(race: Race, contenders: list[Contender]) -> str:
    """Let each write once, and compare in a process of its own: memory of this one would count as the contenders'."""
    folder = race.scratch / "compared"
    folder.mkdir()
    for contender in contenders:
        run(contender, folder / contender.name)
    names = [contender.name for contender in contenders]
    told = _ask("comparing.py", race.records, folder, *names)
    shutil.rmtree(folder)
    return told


def _ask(script: str, *arguments: object) -> str:
    done = subprocess.run(
        python(PEERS.parent / script, *arguments), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FailedError(done.stderr[-2_000:])
    return done.stdout.strip()


def convert(race: Race) -> None:
    """Race from an archive of one plain file to Clickstream events."""
    against_peers(race, compressed=False)


def convert_gz(race: Race) -> None:
    """Race with the same archive as one .gz file."""
    against_peers(race, compressed=True)


def convert_faults(race: Race) -> None:
    """Race with a rare fault in every 100th record, against itself without."""
    plain, faulty = race.archive(), race.archive(faults=FAULTS_EVERY)
    pair = [converting("translate, no faults", plain), converting("translate, faults", faulty)]
    for number, contender in enumerate(pair):
        run(contender, race.scratch / f"faults-{number}")
    told = _ask(
        "comparing.py", "--survivors", race.scratch / "faults-0", race.scratch / "faults-1", FAULTS_EVERY
    )
    race.results.notes.append(f"faults: {told}")
    for number in range(len(pair)):
        remove(race.scratch / f"faults-{number}")
    measured = race.measure(*pair)
    race.results.add("faults", measured, pair[0].name)
    _bar_by_both(
        race, "faults", "what it takes with faults", measured[pair[1].name], measured[pair[0].name], 1.1
    )


def _bar_by_both(race: Race, name: str, what: str, ours: Measured, other: Measured, bar: float) -> None:
    for how, said in ((WALL, "wall"), (CPU, "CPU")):
        race.results.bar(name, f"{what}, times {other.name}, by {said}", ours.times(other, how), bar)


def inspect(race: Race) -> None:
    """Race the figures of an archive against SQL that computes the same."""
    source = race.archive()
    ours = Contender("translate", lambda _: translate("inspect", source, "--json"), DONE)
    theirs = Contender("duckdb", lambda _: python(PEERS.parent / "figures.py", source))
    told = {}
    contenders = [ours, theirs] if _installed("duckdb") else [ours]
    for contender in contenders:
        run(contender, race.scratch / "figures")
        told[contender.name] = json.loads((race.scratch / "figures.out").read_text(encoding="utf-8"))
        remove(race.scratch / "figures")
    if "duckdb" in told:
        if difference := figures.compare(figures.figures_of_translate(told["translate"]), told["duckdb"]):
            raise FailedError(f"inspect and duckdb differ: {difference}")
        race.results.notes.append(f"inspect: {len(told['duckdb'])} figures and lists of duckdb are the same")
    else:
        race.results.notes.append("inspect: duckdb is not installed, and did not run")
    told.clear()
    measured = race.measure(*contenders)
    race.results.add("inspect", measured, "translate")
    if "duckdb" in measured:
        _bar_by_both(race, "inspect", "what it takes", measured["translate"], measured["duckdb"], 1)


def census(race: Race) -> None:
    """Race the account of each key against the conversion without it."""
    source = race.archive()
    measured = race.measure(converting("without", source), converting("--census", source, "--census"))
    race.results.add("census", measured, "without")
    _bar_by_both(race, "census", "what it takes", measured["--census"], measured["without"], 2)


def layouts(race: Race) -> None:
    """Read every JSON layout to the hub's Parquet and write it from there, by CPU per megabyte."""
    archive = race.archive(records=max(1, race.records // 5), digits=DIGITS_OF_ORJSON)
    recipe = race.scratch / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    hub = race.scratch / "hub"
    run(converting("to the hub", archive, to=("--to", "hub")), hub)
    base: dict[str, float] = {}
    for address in _layouts():
        options = [word for place, words in OPTIONS.items() if address.startswith(place) for word in words]
        if address.startswith("personalize"):
            options += ["--recipe", str(recipe)]
        source = race.scratch / "layout"
        writing = converting(f"{address}, written", hub / "data", *options, to=("--to", address))
        run(writing, source)
        rows = size_of(source / "data")
        reading = converting(f"{address}, read", source / "data", "--from", address, to=("--to", "hub"))
        loops = _loops(race, address, source / "data") if _installed("orjson") else []
        measured = race.measure(reading, writing, *loops)
        race.results.add("layouts", measured, reading.name)
        for name, each in measured.items():
            way = name.removeprefix(f"{address}, ")
            per_megabyte = each.median(CPU) / (rows / MEGABYTE)
            told = f"{name}: {rows / MEGABYTE:,.1f} MB; CPU per MB, times the archive's"
            times = per_megabyte / base.setdefault(way, per_megabyte)
            if each.name in (reading.name, writing.name):
                race.results.bar("layouts", told, times, 1.5)
            else:
                race.results.notes.append(f"layouts: {told} by the same loop: {times:.2f}")
        remove(race.scratch / "flat")
        remove(source)
    remove(hub)


def _loops(race: Race, address: str, source: Path) -> list[Contender]:
    """Give loops over orjson that read a layout and write it; none where its events lie in a text, or in a list alone."""
    model, _, name = address.partition("/")
    sheet = tomllib.loads((ROOT / "mappings" / f"{model}.toml").read_text(encoding="utf-8"))
    request = sheet["layout"][name].get("request")
    if request is not None and ({"opened", "closed"} & request.keys() or not request["each"]):
        return []
    script, way = PEERS / "layout_in_orjson.py", [] if request is None else [request["each"]]
    flat = race.scratch / "flat"
    reading = Contender(
        f"{address}, orjson, read", lambda target: python(script, "read", source, target, *way)
    )
    run(reading, flat)
    return [
        reading,
        Contender(f"{address}, orjson, written", lambda target: python(script, "write", flat, target, *way)),
    ]


def _layouts() -> list[str]:
    """List the layouts of lines of JSON that can be read and written, the archive's first."""
    told = subprocess.run(
        translate("models", "--json"), capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    addresses = [
        f"{row['model']}/{row['layout']}"
        for row in json.loads(told)
        if row["read"] and row["write"] and row["model"] != "hub" and "CSV" not in row["about"]
    ]
    return sorted(addresses, key=lambda address: (address != "mobile_analytics/archive", address))


def small_files(race: Race) -> None:
    """Race thousands of small .gz files against one that holds the same records."""
    count = min(SMALL_FILES, max(2, race.records // 100))
    one, many = race.archive(compressed=True), race.archive(compressed=True, files=count)
    measured = race.measure(converting("one file", one), converting(f"{count:,} files", many))
    race.results.add("small files", measured, "one file")
    _bar_by_both(
        race, "small files", "what they take", measured[f"{count:,} files"], measured["one file"], 1.2
    )


def other_forms(race: Race) -> None:
    """Race the forms in which archives come, too: records printed over lines, and the rows of a table."""
    source, folder = race.archive(), race.scratch / "forms"
    subprocess.run(python(PEERS.parent / "other_forms.py", source, folder), check=True)
    lines = converting("a line each", source)
    printed = converting("printed over lines", folder / "printed.json")
    rows = converting("rows of a table", folder / "table.csv")
    measured = race.measure(lines, printed, rows)
    shutil.rmtree(folder)
    race.results.add("other forms", measured, lines.name)
    told = ", ".join(f"{name} {each.times(measured[lines.name], CPU):.2f}" for name, each in measured.items())
    race.results.notes.append(f"other forms: CPU for the same records, times those of a line each: {told}")


def other_senders(race: Race) -> None:
    """Race what the clients of other services send against the archive, by CPU per megabyte."""
    records, folder = max(1, race.records // 5), race.scratch / "senders"
    archive = race.archive(records=records)
    subprocess.run(python(PEERS.parent / "other_senders.py", folder, "--records", str(records)), check=True)
    options = ("--set", "app_id=demo", "--from")
    senders = [converting(sender.name, sender, *options, sender.name) for sender in sorted(folder.iterdir())]
    measured = race.measure(converting("archive", archive), *senders)
    race.results.add("other senders", measured, "archive")
    base = measured["archive"].median(CPU) / size_of(archive)
    for sender in sorted(folder.iterdir()):
        times = measured[sender.name].median(CPU) / size_of(sender) / base
        race.results.bar("other senders", f"{sender.name}: CPU per MB, times the archive's", times, 1.5)
    shutil.rmtree(folder)


def scaling(race: Race) -> None:
    """Race two workers against one, each with a pool of one thread and a core of its own."""
    if len(os.sched_getaffinity(0)) < 2:
        race.results.notes.append("scaling: this machine has one core, so nothing was raced")
        return
    source = race.archive()
    # So many parts that the last of them, which one worker makes alone, hardly counts.
    options = ("--part-size", str(max(1, source.stat().st_size // 40)), "--workers")
    one = converting("one worker", source, *options, "1", cores=1)
    two = converting("two workers", source, *options, "2", cores=2, threads=1)
    measured = race.measure(one, two)
    race.results.add("scaling", measured, two.name)
    ratio = measured[one.name].times(measured[two.name], WALL)
    race.results.bar("scaling", "two workers, times as fast as one by wall", ratio, 1.7, 1.4, at_least=True)


def memory(race: Race) -> None:
    """Find the most memory held, for the records and for ten times as many (one file under ten names)."""
    one = race.archive()
    ten = race.scratch / "ten"
    ten.mkdir()
    for number in range(10):
        os.link(one, ten / f"events-{number}.json")
    target = race.scratch / "target"
    run(converting("target", one), target)
    looking = [Contender("inspect, ten times", lambda _: translate("inspect", ten, "--json"), DONE)]
    looking.append(Contender("parity", lambda _: translate("parity", one, target / "data", "--json"), DONE))
    pair = [converting("convert", one), converting("convert, ten times", ten)]
    measured = race.measure(*pair, *looking, rounds=1)
    remove(target)
    shutil.rmtree(ten)
    race.results.add("memory", measured, "convert")
    longest = _longest_line(one)
    workers_most = len(os.sched_getaffinity(0))
    bound = 256 + 8 * longest * workers_most / MEGABYTE
    race.results.bar(
        "memory", "convert, ten times: MB", measured["convert, ten times"].least(PEAK) / MEGABYTE, bound
    )
    growth = measured["convert, ten times"].times(measured["convert"], PEAK)
    race.results.bar("memory", "convert, ten times: times convert", growth, 1.1)
    for contender in looking:
        race.results.bar(
            "memory", f"{contender.name}: MB", measured[contender.name].least(PEAK) / MEGABYTE, 512
        )


def _longest_line(path: Path) -> int:
    with path.open("rb") as file:
        return max(map(len, file))


RACES: dict[str, Callable[[Race], None]] = {
    "convert": convert,
    "convert-gz": convert_gz,
    "faults": convert_faults,
    "inspect": inspect,
    "census": census,
    "layouts": layouts,
    "small-files": small_files,
    "other-forms": other_forms,
    "other-senders": other_senders,
    "scaling": scaling,
    "memory": memory,
}


def machine() -> str:
    """Name what the figures depend on."""
    described = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(": ")[2] for line in described.splitlines() if line.startswith("model name")]
    packages = ["translate-events", *PEER_NAMES, "isal"]
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    cores = len(os.sched_getaffinity(0))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{models[0] if models else platform.processor()}, {cores} cores, load {load}; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}; {', '.join(versions)}"
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """Set a Markdown table, its columns aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    ruled = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in ruled
    )


def told(results: Results) -> str:
    """Say everything: the runs, the bars, and what was compared."""
    runs = [
        [
            race, each.name,
            f"{each.least(WALL):.2f} / {each.median(WALL):.2f}", f"{each.times(base, WALL):.2f}",
            f"{each.least(CPU):.2f} / {each.median(CPU):.2f}", f"{each.times(base, CPU):.2f}",
            f"{each.median(PEAK) / MEGABYTE:,.0f}",
        ]
        for race, each, base in results.rows
    ]  # fmt: skip
    bars = [
        [
            bar.race, bar.what, f"{bar.value:,.2f}",
            f"{'at least' if bar.at_least else 'at most'} {bar.aim:g}" + (f" ({bar.required:g})" if bar.required != bar.aim else ""),
            bar.verdict,
        ]
        for bar in results.bars
    ]  # fmt: skip
    first = ["race", "who", "wall s, min / median", "ratio", "CPU s, min / median", "ratio", "peak MB"]
    second = ["race", "what", "measured", "bar (required)", "verdict"]
    notes = "\n".join(f"- {note}" for note in results.notes)
    return f"{table(first, runs)}\n\n{table(second, bars)}\n\n{notes}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument(
        "--only", nargs="+", choices=RACES, default=list(RACES), metavar="RACE", help=", ".join(RACES)
    )
    parser.add_argument("--page", type=Path, help="a page of the documentation to write the tables to")
    parser.add_argument("--behind", action="store_true", help="write behind what the page has of another run")
    parser.add_argument("--directory", type=Path, help="where archives and outputs lie while they are needed")
    options = parser.parse_args()
    described, results, failed = machine(), Results(), []
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="race-") as scratch:
        race = Race(options.records, options.rounds, Path(scratch), results)
        for name in options.only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                RACES[name](race)
            except FailedError as error:
                failed.append(name)
                results.notes.append(f"{name}: DID NOT FINISH: {error}")
            if name in ("convert", "convert-gz", "layouts"):
                race.forget()
    text = f"{described}\n{options.records:,} records, rounds: {options.rounds}\n\n{told(results)}"
    print(text)
    if options.page:
        command = shlex.join(["python", "benchmarks/race.py", *sys.argv[1:]])
        before = options.page.read_text(encoding="utf-8") if options.behind else ""
        form = BEHIND if options.behind else PAGE
        options.page.write_text(before + form.format(command=command, text=text), encoding="utf-8")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
