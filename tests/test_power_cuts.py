"""A loss of power: what vouches for something is never on the disk before it, neither its content nor its name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from damaged import lines

ROOT = Path(__file__).parent.parent
# Runs the command line, and writes down what it asked of the system: a name counts from the moment it is given.
DRIVER = """
import atexit, json, os, sys
from pathlib import Path
from translate.archive import units as files
files.FILES_MAX = 1
steps, told, out = [], sys.argv.pop(1), Path(sys.argv.pop(1))
fsync, replace, mkdir = os.fsync, os.replace, os.mkdir

def there():
    return {str(path): path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "scratch" not in path.parts and path.name != "lock"}

def on_fsync(descriptor):
    fsync(descriptor)
    steps.append(["fsync", os.readlink(f"/proc/self/fd/{descriptor}"), os.fstat(descriptor).st_mtime_ns])

def on_replace(source, target):
    steps.append(["before", os.path.abspath(target), there()])
    replace(source, target)
    steps.append(["replace", os.path.abspath(source), os.path.abspath(target)])

def on_mkdir(path, *given, **named):
    mkdir(path, *given, **named)
    steps.append(["mkdir", os.path.abspath(path)])

os.fsync, os.replace, os.rename, os.mkdir = on_fsync, on_replace, on_replace, on_mkdir
atexit.register(lambda: open(told, "w").write(json.dumps(steps)))
sys.argv[0] = "translate"
from translate.cli import main
main()
"""


@dataclass
class Disk:
    """What is certain to be there after a loss of power: contents as of a moment, and names."""

    contents: dict[str, int] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)

    def take(self, step: list[Any]) -> None:
        kind, path, *more = step
        if kind == "mkdir":
            self.uncertain.add(path)
        elif kind == "replace":
            self.contents[more[0]] = self.contents.pop(path, 0)
            self.uncertain.add(more[0])
        elif os.path.isdir(path) or path in {str(Path(name).parent) for name in self.uncertain}:
            self.uncertain -= {name for name in self.uncertain if str(Path(name).parent) == path}
        else:
            self.contents[path] = more[0]

    def lacks(self, files: dict[str, int]) -> list[str]:
        """Name the files, as they are now, that would not survive."""
        return sorted(
            name for name, changed in files.items()
            if self.contents.get(name) != changed or {name, *map(str, Path(name).parents)} & self.uncertain
        )  # fmt: skip


def run(tmp_path: Path, *options: str) -> tuple[list[list[Any]], Path]:
    source, out = tmp_path / "source", tmp_path / "made" / "out"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.json").write_bytes(lines(3, number) + b"junk\n")
    command = [
        sys.executable,
        "-c",
        DRIVER,
        str(tmp_path / "steps"),
        str(out),
        "convert",
        str(source),
        "--out",
        str(out),
        *options,
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return json.loads((tmp_path / "steps").read_text()), out


def spoken_of(files: dict[str, int], record: str) -> dict[str, int]:
    """Leave out what belongs to units after the one that a record is of: the next one may be on its way."""
    number = re.search(r"^unit-([0-9]{5})", record)
    after = {f"-{later:05}" for later in range(int(number[1]) + 1, 3)} if number else set()
    return {path: changed for path, changed in files.items() if not any(mark in path for mark in after)}


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "clickstream"),
        ("--to", "personalize", "--census"),
        ("--to", "clickstream/raw", "--set", "day=2016-04-07", "--compression", "gzip"),
    ],
    ids=" ".join,
)
def test_what_vouches_comes_last(options: tuple[str, ...], tmp_path: Path):
    """Whenever a unit's record, the report or the end of the state gets its name, all that it speaks of is on the disk."""
    steps, out = run(tmp_path, *options)
    disk, vouched = Disk(), []
    for step in steps:
        if step[0] == "before":
            name = Path(step[1]).name
            if name.startswith("unit-") or name in ("report.json", ".translate.over"):
                vouched.append(name)
                assert disk.lacks(spoken_of(step[2], name)) == [], name
        else:
            disk.take(step)
    assert vouched == [
        "unit-00000.json",
        "unit-00001.json",
        "unit-00002.json",
        "report.json",
        ".translate.over",
    ]
    assert disk.lacks({str(path): path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}) == []
