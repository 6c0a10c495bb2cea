"""What is freed is given back, where the allocators can be asked for it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from translate.engine import choice

COMMAND = """
import os, sys
from translate.cli import main
sys.argv = ["translate", "models"]
try:
    main()
except SystemExit:
    print(os.environ.get("_RJEM_MALLOC_CONF"))
"""


@pytest.mark.parametrize(
    ("said", "expected"), [(None, choice.OF_POLARS[1]), ("", ""), ("narenas:1", "narenas:1")]
)
def test_a_command_asks_polars_for_less_unless_the_environment_says_otherwise(
    said: str | None, expected: str
) -> None:
    """The variable is there before polars is loaded, which puts its own before it: what is said last counts."""
    environment = {name: value for name, value in os.environ.items() if name != choice.OF_POLARS[0]}
    environment |= {} if said is None else {choice.OF_POLARS[0]: said}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, env=environment
    )
    told = done.stdout.splitlines()[-1]
    assert told.endswith(expected)
    assert (choice.OF_POLARS[1] in told) == (said is None)


def test_nothing_loads_polars_before_its_allocator_is_asked() -> None:
    """What the command line imports at first has no need of it."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, translate.cli; print('polars' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n"


def test_another_c_library_has_nothing_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no such function nothing is done."""
    choice.give_back()
    monkeypatch.setattr(choice, "_c_library", object)
    choice.give_back()
    choice.ask_c_for_less()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="only glibc tells what is held")
def test_a_batch_holds_little_more_than_it_says() -> None:
    """The kernel's columns are cut to what they hold before they are handed over."""
    program = """
import ctypes
import polars as pl
from translate.engine.library import library, through
from translate.reader.program import Program
from translate.mapping import find_layout

class Told(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "a", "b", "c", "mapped", "d", "e", "used", "free", "f")]

told = ctypes.CDLL(None).mallinfo2
told.restype = Told
mapping, layout = find_layout("mobile_analytics/archive")
program = Program(layout, mapping.names, 1 << 26)
line = '{"event_type":"a","event_timestamp":1487973802507,"attributes":{%s}}'
texts = pl.DataFrame({"text": [line % ", ".join(f'"k{n}" : "v"' for n in range(20))] * 5000})
read = library().translate_read_lines
none = ctypes.byref(ctypes.c_int64(-1))
held = []
for _ in range(2):  # at first there is memory that was let go of before
    before = told()
    held += [through(lambda given, made: read(program.pointer, given, none, program.told, None, made), texts) for _ in range(20)]
    after = told()
print((after.used + after.mapped - before.used - before.mapped) // 20)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    views_bytes = 5_000 * 20 * 2 * 16  # of each entry's key and value
    assert int(done.stdout) < views_bytes * 1.5


@pytest.mark.skipif(choice.library() is None, reason="the reference has no memory of its own")
def test_memory_of_sizes_that_nobody_needs_makes_room_for_others() -> None:
    """Else what one kind of batches left would fill the pool, and each batch of another kind take pages that are new."""
    program = """
import resource
from translate.engine.choice import ask_c_for_less
from translate.engine.texts import split

ask_c_for_less()

def text(megabytes):
    return (b"a" * ((1 << 16) - 1) + b"\\n") * (megabytes * 16)

held = [split(text(3)) for _ in range(20)]
del held
other = text(5)
split(other), split(other)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    split(other)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000  # of the 12,800 pages that ten such texts have
