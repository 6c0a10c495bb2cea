"""The house itself: how many rooms, how large, what bears which name, and that each module can be imported first."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import translate

ROOT = Path(translate.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
LINES_MAX = 300
LONGER = {
    "judging/judges.py": "one short judge a limit: to read it is to read a list",
    "reader/careful.py": "one record's way into the hub, place by place",
}
ENTRIES_MAX = 22
# The rooms, from the ground up: each asks those below it, and none that stands above.
FLOORS = (
    "errors", "events", "wording", "engine", "vocabulary", "mapping", "stores", "archive", "passes", "reader", "judging",
    "writer", "recipe", "analysis", "conversion", "delivery", "telling", "rehearsal", "spark", "", "cli", "__main__",
)  # fmt: skip
MODULES_MAX = 238

# In one process that has loaded what others wrote, and nothing of ours, a child for each module.
IMPORT_EACH = """
import importlib, os, sys, traceback
import botocore.client, dateutil.parser, polars, polars_hash, rich.progress, typer
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_each_module_can_be_imported_first() -> None:
    """No module needs another one to have been imported before it."""
    names = [
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.name != "__main__.py"
    ]
    halves = [
        subprocess.Popen([sys.executable, "-c", IMPORT_EACH, *half], stdout=subprocess.PIPE, text=True)
        for half in (names[::2], names[1::2])
    ]
    assert [half.communicate()[0] for half in halves] == ["", ""]
    assert [half.returncode for half in halves] == [0, 0]


def test_no_class_name_is_borne_twice() -> None:
    """Whoever reads a class's name knows which one is meant."""
    bearers = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bearers[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: places for name, places in bearers.items() if len(places) > 1} == {}


def test_no_module_is_long() -> None:
    """A module has one reason to exist, and can be read at one sitting."""
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text().count("\n") for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX}.keys() <= LONGER.keys()


def test_no_room_asks_one_above_it() -> None:
    """The way of the data goes up and never back: whoever reads a room has read all that it needs below."""
    arrows = set()
    for path in MODULES:
        asks = _room(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("translate."):
                asked = [_room(node.module.split(".")[1:])]  # type: ignore[union-attr]
            elif isinstance(node, ast.ImportFrom) and node.module == "translate":
                asked = [_room([alias.name]) for alias in node.names if alias.name != "__version__"]
            else:
                continue
            arrows |= {(asks, room, path.name) for room in asked}
    assert len(arrows) > len(FLOORS)
    assert {arrow for arrow in arrows if FLOORS.index(arrow[0]) < FLOORS.index(arrow[1])} == set()


def _room(parts: Sequence[str]) -> str:
    return "" if parts[0] == "__init__" else parts[0]


def test_the_listing_fits_one_look() -> None:
    """The listing of the package is the way of the data."""
    entries = [path for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert len(entries) <= ENTRIES_MAX


def test_the_house_does_not_grow() -> None:
    """A room of a few lines stands with the one that uses it, unless it has a reason of its own."""
    assert len(MODULES) <= MODULES_MAX
