"""What is large: a verdict in linear time, in memory that follows the line's size, and no crash."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from held import HEAD, read, read_alike

from translate.engine.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")

ROOT = Path(__file__).resolve().parent.parent.parent
GROWTH = 8  # so many times larger, and at most thrice that slower: what is quadratic takes 64 times as long


def members(count: int, value: str) -> str:
    return ",".join(f'"key{number}":{value}' for number in range(count))


LARGE: dict[str, tuple[int, Callable[[int], str]]] = {
    "attributes": (12_500, lambda count: HEAD + f',"attributes":{{{members(count, chr(34) * 2)}}}}}'),
    "metrics": (12_500, lambda count: HEAD + f',"metrics":{{{members(count, "1.5")}}}}}'),
    "numbers among the attributes": (12_500, lambda count: HEAD + f',"attributes":{{{members(count, "1")}}}}}'),
    "lists among the attributes": (12_500, lambda count: HEAD + f',"attributes":{{{members(count, "[]")}}}}}'),
    "unknown members": (12_500, lambda count: HEAD + f",{members(count, '[1]')}}}"),
    "unknown members further down": (12_500, lambda count: HEAD + f',"client":{{{members(count, "[1]")}}}}}'),
    "members of an unknown object": (25_000, lambda count: HEAD + f',"odd":{{{members(count, "1")}}}}}'),
    "elements of a list": (50_000, lambda count: HEAD + f',"odd":[{"{},[0],1.50," * count}null]}}'),
    "digits": (50_000, lambda count: HEAD + f',"metrics":{{"m":{"7" * count}}}}}'),
    "a text": (500_000, lambda count: HEAD + f',"attributes":{{"a":"{"x" * count}"}}}}'),
    "an escaped text": (100_000, lambda count: HEAD + f',"attributes":{{"a":"{chr(92)}n{chr(92)}u00e9{"x" * count}"}}}}'),
    "escapes": (50_000, lambda count: HEAD + f',"odd":["{"xn".replace("x", chr(92)) * count}"]}}'),
    "long keys": (100, lambda count: HEAD + f',{",".join(f"{chr(34)}{str(n) * 3000}{chr(34)}:1" for n in range(100, 100 + count))}}}'),
    "blanks": (500_000, lambda count: HEAD + " " * count + "," + "\t" * count + '"odd":1}'),
    "records on a line": (1_000, lambda count: (HEAD + ',"attributes":{"a":"x"}}') * count),
}  # fmt: skip


def seconds(line: str) -> float:
    """Give the shortest time of a few in which a line is read, in this process's own time."""
    times = []
    for _ in range(3):
        start = time.process_time()
        found = read([line])
        times.append(time.process_time() - start)
        assert not found["careful"].any()
        assert found["code"].null_count() == found.height
    return min(times)


@pytest.mark.parametrize("what", LARGE)
def test_time_grows_as_the_line_does(what: str) -> None:
    """The kernel itself decides, in a time that follows the line's length."""
    count, make = LARGE[what]
    small, large = (seconds(make(times * count)) for times in (1, GROWTH))
    assert large < 3 * GROWTH * max(small, 0.005), (small, large)


@pytest.mark.parametrize("what", LARGE)
def test_large_ones_say_the_same(what: str) -> None:
    """Where tables take over from comparing one by one, nothing changes."""
    count, make = LARGE[what]
    read_alike([make(number) for number in (1, 2, 3, 23, 24, 25, 26, 27, 50, 100, min(count, 700))])


@pytest.mark.parametrize("count", [10, 30, 1000])
@pytest.mark.parametrize("place", ['"attributes":{{{}}}', '"odd":1,{}', '"client":{{{}}}'])
def test_one_doubled_key_among_many(count: int, place: str) -> None:
    """The last of many keys is one that was there: first, in the middle, right before."""
    for doubled in (0, count // 2, count - 1):
        line = f"{HEAD},{place.format(members(count, '1') + f',{chr(34)}key{doubled}{chr(34)}:[2]')}}}"
        (found,) = read_alike([line]).to_dicts()
        assert sum("doubled" in noted for noted in found["notes"]) == 1


@pytest.mark.parametrize(
    "brackets", [("[", "]"), ('{"a":', "}"), ('[{"a":[', "]}]"), ("[", ""), ('{"a":', "")]
)
def test_deep_nesting(brackets: tuple[str, str]) -> None:
    """A hundred thousand levels are refused, closed or not, as a member, as an attribute, in the place of a known object, as a line."""
    opening, closing = brackets
    deep = opening * 100_000 + "1" + closing * 100_000
    lines = [
        HEAD + f',"odd":{deep}}}',
        HEAD + f',"attributes":{{"a":{deep}}}}}',
        HEAD + f',"client":{deep}}}',
        deep,
        HEAD + "}",
    ]
    start = time.process_time()
    found = read_alike(lines)
    assert time.process_time() - start < 5
    assert found["code"].null_count() == 1
    assert set(found["code"].drop_nulls()) <= {"bad_json", "incomplete"}


IN_A_PROCESS = """
import resource, sys, time
import polars as pl
sys.path[:0] = sys.argv[1:3]
from held import ARCHIVE, HEAD, read
from translate.reader import kernel_reader
from translate.mapping import find_layout

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def measured(*given):
    before, start = peak(), time.process_time()
    made = through(*given)
    print(time.process_time() - start, (peak() - before) / len(line))
    return made

mapping, layout = find_layout(ARCHIVE)
through, kernel_reader.through = kernel_reader.through, measured
reader = kernel_reader.KernelReader.of(layout, mapping.names, 2**30)
line = eval(sys.argv[3])
left = []
found = reader.read(
    pl.DataFrame({"row": pl.Series([0], dtype=pl.UInt32), "text": [line]}), lambda *what: left.append(what) or []
)
print(found.height, len(left))
"""
LONG = {
    "one text": """HEAD + ',"attributes":{"a":"' + "x" * 200_000_000 + '"}}'""",
    "one text with escapes": """HEAD + ',"odd":["' + ("x" * 98 + chr(92) + "n") * 2_000_000 + '"]}'""",
    "short texts": """HEAD + ',"odd":[' + '"abcd",' * 28_000_000 + "0]}" """,
    "members": """HEAD + ',"odd":{' + '"abcd":12.50,' * 15_000_000 + '"a":0}}'""",
    "cut off": """HEAD + ',"odd":{' + '"abcd":[12,' * 18_000_000""",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LONG)
def test_a_line_of_200_megabytes(what: str) -> None:
    """It has a verdict in seconds, in memory of a few times its size, which is what its texts take in the frame."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, ROOT / "tests", ROOT / "tests" / "kernel", LONG[what]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    measured, rows = done.stdout.splitlines()
    took, times_its_size = map(float, measured.split())
    assert rows == "1 0"
    assert took < 30
    assert times_its_size < 3
