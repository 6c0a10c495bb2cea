"""Every transcript in tests/transcripts/ says what the command line says, to the letter.

A transcript is a Markdown file. Each line `% COMMAND` in a fenced block runs in a fresh folder that holds copies of
sample_data/ and mappings/; what follows it is its standard output, then its standard error, each line of which is
marked `2> `, then `=> N` where the exit code is not 0. The commands of one file share their folder. `translate` runs in
this process, in a window of 120 columns, any other command in the shell. In stores.md `store` makes the store of this
machine answer so.

    TRANSLATE_ACCEPT=1 python -m pytest tests/test_transcripts.py       writes what is said now; read the difference
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import types
from pathlib import Path

import pytest
from commands import free_port, run_here, run_shell

from translate.archive import spool

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

from loopback import Store, served

ROOT = Path(__file__).resolve().parent.parent
TRANSCRIPTS = sorted((ROOT / "tests" / "transcripts").glob("*.md"))
FENCE = "```"
PROMPT = "% "

# What no reader would compare and every edit of a mapping would change.
DIGEST = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b(?=\",?$)|\b[0-9a-f]{64}(?=(?:  -)?$)")

# The port that transcripts show, and one that is free on this machine: several runs of the tests do not meet.
STORE: list[Store] = []  # the one that a transcript has, if it has one
PORT_SHOWN, PORT = "18765", str(free_port())


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(transcript, tmp_path, monkeypatch, request):
    for folder in ("sample_data", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    if transcript.stem == "stores":
        request.getfixturevalue("bucket")
    # The name of the program in usage lines is taken from here.
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    expected = transcript.read_text(encoding="utf-8")
    said = replay(expected)
    if os.environ.get("TRANSLATE_ACCEPT"):
        transcript.write_text(said, encoding="utf-8")
        return
    assert said == expected


@pytest.fixture
def bucket(monkeypatch):
    """A store of this machine that answers as `store VERB STATUS CODE` says, and an environment that leads there."""
    monkeypatch.setattr("translate.stores.bucket.FIRST_WAIT_SECONDS", 0.001)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    given = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "an-example", "AWS_DEFAULT_REGION": "us-east-1",
             "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    archive = ROOT / "sample_data" / "mobile_analytics" / "archive"
    objects = {
        f"awsma/{path.relative_to(archive).as_posix()}": path.read_bytes() for path in archive.rglob("*.gz")
    }
    store = Store({"old": objects, "new": {}})
    monkeypatch.setattr(sys.modules[__name__], "STORE", [store])
    monkeypatch.setattr(spool, "_spools", [])
    with served(store) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        yield


def told_to_store(words: list[str]) -> tuple[str, str, int]:
    """Have the store answer so, or well, from now on, or have nobody ask; what was fetched from it is forgotten."""
    spool._spools.clear()
    if words[1:] == ["well"]:
        STORE[0].faults = []
    elif words[1:] == ["nobody"]:
        del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    else:
        verb, status, code, *region = words[1:]
        answer = {"status": int(status), "code": code, **({"region": region[0]} if region else {})}
        STORE[0].faults = [{"verb": verb, "do": answer}]
    return "", "", 0


def test_a_transcript_is_replayed_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = "Text.\n\n```\n% echo one; echo two >&2; exit 3\nanything\n% true\n```\n\nMore text.\n"
    replayed = (
        "Text.\n\n```\n% echo one; echo two >&2; exit 3\none\n2> two\n=> 3\n% true\n```\n\nMore text.\n"
    )
    assert replay(told) == replayed


def replay(transcript: str) -> str:
    """Give the transcript with what its commands say now."""
    said = []
    inside = False
    for line in transcript.splitlines():
        if line.startswith(FENCE):
            inside = not inside
        if not inside or line.startswith(FENCE):
            said.append(line)
        elif line.startswith(PROMPT):
            said.append(line)
            said.extend(run(line.removeprefix(PROMPT)))
    return "\n".join(said) + "\n"


def run(command: str) -> list[str]:
    """Run one command; give the lines that a transcript shows."""
    words = shlex.split(command.replace(PORT_SHOWN, PORT))
    if words[0] == "store":
        output, error, code = told_to_store(words)
    elif words[0] == "translate":
        output, error, code = run_here(words)
    else:
        output, error, code = run_shell(command.replace(PORT_SHOWN, PORT))
    output, error = output.replace(f":{PORT}", f":{PORT_SHOWN}"), error.replace(f":{PORT}", f":{PORT_SHOWN}")
    shown = [DIGEST.sub("...", line.rstrip()) for line in output.splitlines()]
    shown += [f"2> {line}".rstrip() for line in error.splitlines()]
    return [*shown, *([f"=> {code}"] if code else [])]
