"""Every transcript in tests/transcripts/ says what the command line says, to the letter.

A transcript is a Markdown file. Each line `% COMMAND` in a fenced block runs in a fresh folder that holds copies of
sample_data/ and mappings/; what follows it is its standard output, then its standard error, each line of which is
marked `2> `, then `=> N` where the exit code is not 0. The commands of one file share their folder. `translate` runs in
this process, in a window of 120 columns, any other command in the shell.

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

ROOT = Path(__file__).resolve().parent.parent
TRANSCRIPTS = sorted((ROOT / "tests" / "transcripts").glob("*.md"))
FENCE = "```"
PROMPT = "% "

# What no reader would compare and every edit of a mapping would change.
DIGEST = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b(?=\",?$)")

# The port that transcripts show, and one that is free on this machine: several runs of the tests do not meet.
PORT_SHOWN, PORT = "18765", str(free_port())


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(transcript, tmp_path, monkeypatch):
    for folder in ("sample_data", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    # The name of the program in usage lines is taken from here.
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    expected = transcript.read_text(encoding="utf-8")
    said = replay(expected)
    if os.environ.get("TRANSLATE_ACCEPT"):
        transcript.write_text(said, encoding="utf-8")
        return
    assert said == expected


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
    output, error, code = (
        run_here(words) if words[0] == "translate" else run_shell(command.replace(PORT_SHOWN, PORT))
    )
    output, error = output.replace(f":{PORT}", f":{PORT_SHOWN}"), error.replace(f":{PORT}", f":{PORT_SHOWN}")
    shown = [DIGEST.sub("...", line.rstrip()) for line in output.splitlines()]
    shown += [f"2> {line}".rstrip() for line in error.splitlines()]
    return [*shown, *([f"=> {code}"] if code else [])]
