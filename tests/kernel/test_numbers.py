"""The digits of numbers: those that the reference gives, in every place, with the same notes."""

from __future__ import annotations

import math
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from held import HEAD, read, read_alike, told
from hypothesis import given
from hypothesis import strategies as st
from strategies import number

from translate.engine.library import library
from translate.reader.literals import Refused, number_digits

pytestmark = pytest.mark.skipif(library() is None, reason="no kernel here")

ROOT = Path(__file__).resolve().parent.parent.parent
SEED = 20261128


def spelled(double: float) -> list[str]:
    """Give a double's shortest spelling, and those of 15, 16 and 17 digits."""
    return [
        repr(double),
        *(f"{double:.{digits}e}" for digits in (14, 15, 16)),
        f"{double:.17g}",
        f"{double:.25e}",
    ]


def doubles() -> list[float]:
    """Give doubles of all sizes, and those around which digits are hard to find."""
    randomness = random.Random(SEED)
    tiny = [
        struct.unpack("d", struct.pack("Q", randomness.getrandbits(randomness.randrange(1, 53))))[0]
        for _ in range(200)
    ]
    bits = [struct.unpack("d", struct.pack("Q", randomness.getrandbits(63)))[0] for _ in range(200)]
    powers = [2.0**power for power in range(-1074, 1024, 7)]
    tens = [float(f"1e{power}") for power in range(-323, 309, 5)]
    near = [math.nextafter(double, toward) for double in powers + tens for toward in (0.0, math.inf)]
    hard = [
        5e-324,
        2.2250738585072014e-308,
        2.225073858507201e-308,
        1.7976931348623157e308,
        9007199254740993.0,
        0.1 + 0.2,
        1 / 3,
        2 / 3,
        1e23,
        9.5e-5,
    ]
    cents = [round(randomness.uniform(0, 10_000), 2) for _ in range(100)]
    return [double for double in bits + tiny + powers + tens + near + hard + cents if math.isfinite(double)]


DIRECTED = [
    "-0", "-0.0", "0.0", "0e5", "-0E-5", "1e308", "1e309", "-1e309", "1.7976931348623158e308", "1.7976931348623159e308", "1e-323", "1e-324", "2e-324", "3e-324", "1e-400",
    "1e0000000000000000000000000000000005", "1e-0000000000000000000000000000000005", "1e+0000000000000000000000000000000000", "0.5e00000000000000000000000300",
    "1e2147483647", "1e2147483648", "1e-2147483648", "1e4294967296", "1e9223372036854775807", "1e18446744073709551617", "0e99999999999999999999", "1e-99999999999999999999",
    "0." + "0" * 290 + "123456789012345", "0." + "0" * 296 + "1", "0." + "0" * 297 + "1", "0." + "0" * 298 + "1", "0." + "0" * 400 + "1", "0." + "0" * 900 + "1e905", "0." + "0" * 1100 + "1e1105",
    "9" * 400, "-" + "9" * 400, "9" * 400 + ".0", "1" + "0" * 300 + ".0", "1" + "0" * 296 + ".0", "1" + "0" * 310 + "e-310", "123" * 133 + "e-390", "0." + "123" * 133, "1." + "0" * 400, "1." + "0" * 400 + "1",
    "1." + "0" * 996 + "e5", "1." + "0" * 997 + "e5", "1." + "0" * 998 + "e5", "1e299", "1e300", "-1e-299", "1e-300", "123456789012345e285", "123456789012345e-310", "999999999999999e-312",
    "9007199254740993", "9007199254740993.0", "9007199254740992.5", "12345678901234567890.5", "0.1000000000000000055", "2.675", "1.005", "123456789012345.6", "999999999999999.9",
    "0.99999999999999994", "0.999999999999999944488848768742172978818416595458984375", "4.35", "1.15", "5e-1", "50e-1", "500e-2", "0.000e5", "100000000000000000000000e-23",
]  # fmt: skip


def line_of(literals: Iterable[str]) -> str:
    """Give a record with numbers among its metrics, as attributes, in a list of an unknown member, and one in a text's place."""
    given = list(literals)
    metrics = ",".join(f'"m{at}":{literal}' for at, literal in enumerate(given))
    return f'{HEAD},"metrics":{{{metrics}}},"odd":[{",".join(given)}],"attributes":{{"a":{given[0]}}},"event_version":{given[-1]}}}'


def assert_digits(literals: list[str]) -> pl.DataFrame:
    """Read each number, which has to give its digits, and has to be noted where these are not all."""
    found = read_alike([line_of([literal]) for literal in literals])
    for literal, row in zip(literals, found.iter_rows(named=True), strict=True):
        try:
            digits, changed = number_digits(literal)
        except Refused as reason:
            assert row["code"] == reason.code == "bad_number", literal
            continue
        texts = [
            row["metrics"]["m0"],
            row["metrics"]["a"],
            row["$event_version"],
            row["extra"]["odd"],
        ]
        assert texts == [digits, digits, digits, f"[{digits}]"], literal
        assert (sum("rounded" in noted for noted in row["notes"]) > 0) == changed, literal
    return found


def test_doubles_of_all_sizes() -> None:
    """The shortest spelling, and longer and shorter ones, of random and of hard doubles."""
    literals = [literal for double in doubles() for literal in spelled(double)]
    assert len(literals) > 3000
    found = assert_digits(literals)
    assert found["careful"].mean() < 0.4


def test_numbers_at_the_edges() -> None:
    """Zeros of either sign, the ends of the doubles and of exponents, hundreds of digits."""
    assert_digits([*DIRECTED, *(literal.upper() for literal in DIRECTED if "e" in literal)])


@given(st.lists(number(), min_size=1, max_size=12))
def test_any_numbers(literals: list[str]) -> None:
    """Whatever a wire has carried, many in one record."""
    read_alike([line_of(literals)])


@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][-+]?[0-9]{1,4})?\Z"))
def test_any_spelling(literal: str) -> None:
    """Whatever the grammar allows."""
    assert_digits([literal])


def test_what_machines_write_is_decided_by_the_kernel() -> None:
    """Prices, shares, durations and coordinates, in the usual spellings, are not left to the reference."""
    randomness = random.Random(SEED)
    literals = [
        spelling
        for _ in range(300)
        for spelling in (
            str(randomness.randrange(10**12)), f"{randomness.uniform(0, 1000):.2f}", repr(randomness.random()), repr(randomness.uniform(-180, 180)),
            f"{randomness.uniform(0, 1e9):.6e}", repr(randomness.expovariate(1e-6)), f"{randomness.random():.17g}", "5e-324", f"{randomness.random()}e-310",
        )
    ]  # fmt: skip
    found = read([f'{HEAD},"metrics":{{"m":{literal}}}}}' for literal in literals])
    assert found["careful"].sum() == 0
    assert [row["m"] for row in found["metrics"]] == [number_digits(literal)[0] for literal in literals]


def test_notes_come_in_the_order_of_the_reference() -> None:
    """Free-form values are read after the plain ones, whatever stands first in the line."""
    rounded = '"metrics":{"m":0.1000000000000000000055},"attributes":{"a":1}'
    (found,) = told(read_alike([f'{HEAD},{rounded},"event_version":3}}']))
    assert [json_note.split(",")[1] for json_note in found["notes"]] == [
        '"retyped"',
        '"rounded to a double"',
        '"retyped"',
    ]


COMMAS = """
import locale, sys
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
sys.path[:0] = sys.argv[1:]
from held import HEAD, read_alike
found = read_alike([f'{HEAD},"metrics":{{"m":{literal}}}}}' for literal in ("0.30000000000000004", "1e-305", "1e5", "1.5", "12345678901234567.5")])
print([row["m"][:19] for row in found["metrics"]])
"""


@pytest.mark.skipif(
    shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists(),
    reason="no sources of locales here",
)
def test_a_locale_with_commas(tmp_path: Path) -> None:
    """A program that speaks German around us changes no digit."""
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"], check=True, capture_output=True
    )
    done = subprocess.run(
        [sys.executable, "-c", COMMAS, ROOT / "tests", ROOT / "tests" / "kernel"],
        env={**os.environ, "LOCPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (
        done.stdout
        == "['0.30000000000000004', '0.00000000000000000', '100000', '1.5', '12345678901234568']\n"
    ), done.stderr
