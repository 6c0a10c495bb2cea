"""Whatever is typed, no call ends in a traceback: it does what was said, or a sentence says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from damaged import lines

from translate.cli import main
from translate.errors import ExitCode

ALL = "9" * 23
LONG = "x" * 5000
BYTES = "\udcff"  # what Python makes of a byte that is no UTF-8
OUT = ["convert", "a.json", "--to", "clickstream", "--out"]
SEND = [
    "replay",
    "a.json",
    "--to",
    "clickstream",
    "--endpoint",
    "http://127.0.0.1:9/c",
    "--dry-run",
    "--journal",
]
EARLY, LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"


def ors(condition: str, count: int) -> str:
    return " OR ".join([condition] * count)


# What is typed, how it ends, and what is said on standard error.
TYPED: dict[str, tuple[list[str], int, str]] = {
    "limit": ([*OUT, "o", "--limit", ALL], 0, ""),
    "limit of some": ([*OUT, "o", "--limit", ALL, "--where", "name <> 'x'"], 0, ""),
    "limit of a preview": (["convert", "a.json", "--to", "clickstream", "--dry-run", "--limit", ALL], 0, ""),
    "limit of 5,000 digits": ([*OUT, "o", "--limit", "1" * 5001], 2, "--limit"),
    "limit of inspect": (["inspect", "a.json", "--limit", ALL], 0, ""),
    "limit of validate": (["validate", "a.json", "--as", "mobile_analytics", "--limit", ALL], 0, ""),
    "limit of roundtrip": (["roundtrip", "a.json", "--via", "clickstream", "--limit", ALL], 0, ""),
    "limit of replay": ([*SEND, "j", "--limit", ALL], 0, "requests"),
    "nothing to add": ([*OUT, "o", "--add", ""], 2, '--add "": names nothing to add (one of: first_open'),
    "commas to add": ([*OUT, "o", "--add", ","], 2, '--add ",": names nothing to add'),
    "an empty rate": ([*SEND, "j", "--rate", ""], 2, "is no rate; write --rate 500"),
    "a folder of settings": (
        [*OUT, "o", "--settings", "."],
        2,
        "--settings .: is a folder; name a file in it, such as settings.toml",
    ),
    "a folder of ids": (
        [*OUT, "o", "--erase", "."],
        2,
        "--erase .: is a folder; name a file that holds an id a line",
    ),
    "no settings": (
        [*OUT, "o", "--settings", ""],
        2,
        "--settings is empty: name a path, or . for the folder that you are in",
    ),
    "no mappings": ([*OUT, "o", "--mappings", ""], 2, "--mappings is empty"),
    "no journal": (
        ["replay", "a.json", "--to", "clickstream", "--endpoint", "http://127.0.0.1:9/c", "--journal", ""],
        2,
        "--journal is empty",
    ),
    "no result": (["dossier", ""], 2, "is empty: name a path"),
    "nothing to check": (["check", ""], 2, "is empty: name a path"),
    "line of why": (["why", f"a.json:{ALL}", "--to", "clickstream"], 2, "there is no record on line"),
    "brackets": ([*OUT, "o", "--where", "(" * 20_000 + "name = 'x'" + ")" * 20_000], 2, "nested too deeply"),
    "open brackets": ([*OUT, "o", "--where", "(" * 20_000], 2, "nested too deeply"),
    "functions": (
        [*OUT, "o", "--where", "TRY_CAST(" * 250 + "name" + " AS VARCHAR)" * 250 + " = 'x'"],
        2,
        "nested too deeply",
    ),
    "ORs": (
        [*OUT, "o", "--where", ors("name = 'x'", 3000)],
        2,
        "5999 operators, more than 300: write name IN",
    ),
    "some ORs": ([*OUT, "o", "--where", ors("name <> 'x'", 100)], 0, ""),
    "a long list": (
        [*OUT, "o", "--where", f"name NOT IN ({', '.join(map(repr, map(str, range(3000))))})"],
        0,
        "",
    ),
    "sums": ([*OUT, "o", "--where", "value > " + " + ".join(["1"] * 20_000)], 2, "operators"),
    "a long chain": (
        [*OUT, "o", "--where", f"{' || '.join(['name'] * 299)} = 'x'"],
        2,
        "too long a chain",
    ),
    "a long number": ([*OUT, "o", "--where", "value = " + "1" * 400], 2, "is not an SQL expression"),
    "a condition of bytes": ([*OUT, "o", "--where", f"name = '{BYTES}'"], 2, "--where should be UTF-8 text"),
    "a setting of bytes": ([*OUT, "o", "--set", f"app_id={BYTES}"], 2, "--set should be UTF-8 text"),
    "a directory of bytes": ([*OUT, f"o{BYTES}"], 2, "a target directory should be UTF-8 text"),
    "days": (
        [*OUT, "o", "--since", "2016-01-01", "--trust-folders", "nan"],
        2,
        "a number of days, 0 or more",
    ),
    "endless days": ([*OUT, "o", "--since", "2016-01-01", "--trust-folders", "inf"], 2, "a number of days"),
    "many days": ([*OUT, "o", "--since", "2016-01-01", "--trust-folders", "1e300"], 0, ""),
    "no source": (["convert", "", "--to", "clickstream", "--out", "o"], 2, "a source is empty; name a file"),
    "no source to look at": (["inspect", "a.json", ""], 2, "a source is empty"),
    "no directory": ([*OUT, ""], 2, "--out is empty: name a new or empty directory"),
    "a preview of nothing": (
        [*OUT, "o", "--dry-run", "--limit", "0"],
        2,
        "at least one event has to be taken",
    ),
    "since": ([*OUT, "o", "--since", EARLY], 2, "--since"),
    "until": ([*OUT, "o", "--until", LATE], 2, "--until"),
    "earliest": ([*OUT, "o", "--set", f"earliest={EARLY}"], 2, "earliest: should be an ISO 8601 time"),
    "latest": ([*OUT, "o", "--set", f"latest={LATE}"], 2, "latest: should be an ISO 8601 time"),
    "a long source": (["convert", LONG, "--to", "clickstream", "--out", "o"], 3, "File name too long"),
    "a long directory": ([*OUT, LONG], 3, "File name too long"),
    "a long model": (["convert", "a.json", "--to", LONG, "--out", "o"], 2, "no model"),
    "a long recipe": ([*OUT, "o", "--recipe", LONG], 3, "File name too long"),
    "a long journal": ([*SEND, LONG], 3, "File name too long"),
    "a long status": (["replay", "--status", LONG], 3, "File name too long"),
    "port": (["rehearse", "--port", ALL], 2, "--port is from 0 to 65535"),
    "rate": ([*SEND, "j", "--rate", ALL], 0, "requests"),
    "no rate": ([*SEND, "j", "--rate", "1e999"], 2, "is no rate"),
    "speedup": ([*SEND, "j", "--speedup", "nan"], 2, "should be above 0"),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers, names, times and expressions beyond all bounds are taken, or told in one short line."""
    words, code, said = TYPED[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_bytes(lines(3))
    ended, told = call(monkeypatch, capsys, words)
    assert (ended, said in told) == (code, True), told
    if code:
        last = told.splitlines()[-1]
        assert len(last) < 600 + LONG.count("x") * (LONG in last)
        assert not (tmp_path / "o").exists()


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> tuple[Any, str]:
    monkeypatch.setattr(sys, "argv", ["translate", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


def test_a_recipe_beyond_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipe's expressions have the same bounds, told by `check` with their place."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        f'to = "clickstream/events"\n[[rule]]\nwhen = "{ors("value = 1", 3000)}"\ndrop = "noise"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "argv", ["translate", "check", str(recipe)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert (ended.value.code, "rule" in told, "operators" in told) == (ExitCode.USAGE, True, True), told
