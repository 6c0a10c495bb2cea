"""Every exception, named by what the user does next, and the exit codes of the command line.

TranslateError
├── UsageError        (2)  correct the call, the settings or the target directory, and call again
│   └── CallError     (2)  correct an argument of a call from Python; a TypeError too
├── MappingError      (2)  correct a mapping or recipe: holds every complaint at once
├── SourceError       (3)  nothing there that could be read
├── PreflightError    (4)  accept by name what the target will do with the data, or take another route
├── OutputError       (3)  make room or grant the right to write, and call again: the run resumes
└── ConservationError (3)  a fault of this tool: events do not add up
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

STORE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)  # of a path only one slash is left
OPTION = re.compile(
    r"""(?<![\w-])--(?P<name>[a-z]+(?:-[a-z]+)*)
    (?:[ ](?P<value>"[^"]*" | (?!(?:and|or)[ ])[^\s"]+?(?=:[ ]|[ ]--until[ ]) | (?<=--accept[ ])[\w-]+ | (?<=--set[ ])[\w.]+(?=[ ])
    | [^\s,;()"]*[=\d/][^\s,;()"]* | -(?![\w-]) | hub | gzip | spark))?""",
    re.VERBOSE,
)
COMMAND = re.compile(r"\btranslate (?P<name>[a-z]+) \.\.\.(?P<options>(?: --[a-z-]+(?: [^\s,;()]+)?)+)")
OF_OTHER_TOOLS = ("bucket",)  # commands of these are told as they are typed
RESERVED = ("as", "from", "id", "set")  # words that Python or its readers have for something else
SAID_OTHERWISE = {
    "answer": "answers", "client-rate": "client_events_per_second", "quota": "quota_per_second", "retry-after": "retry_after_seconds",
    "json": "to_json()", "profile": "AWS_PROFILE", "region": "AWS_DEFAULT_REGION", "endpoint-url": "AWS_ENDPOINT_URL",
}  # fmt: skip


class ExitCode(IntEnum):
    """What the command line tells the shell."""

    DONE = 0
    FLAWED = 1
    USAGE = 2
    UNFINISHED = 3
    PREFLIGHT = 4
    INTERRUPTED = 130


EXIT_MEANINGS = {
    ExitCode.DONE: "done, nothing wrong",
    ExitCode.FLAWED: "done, with records rejected, nothing written, limits broken, names that became one, or differences that nothing declares",
    ExitCode.USAGE: "wrong usage, mapping, recipe (or a failed test in one) or settings; nothing was read",
    ExitCode.UNFINISHED: "could not finish: no readable source, full disk, conservation broken",
    ExitCode.PREFLIGHT: "stopped before anything was sent: the target would lose data, and nobody accepted that by name",
    ExitCode.INTERRUPTED: "interrupted; the same command resumes",
}


class TranslateError(Exception):
    """Something that the user can mend; its text says where, what and how, to a caller from Python in Python's words."""

    exit_code = ExitCode.UNFINISHED

    @property
    def typed(self) -> str:
        """Give the text as the command line says it, with options: what is raised, and what other errors quote."""
        return super().__str__()

    def __str__(self) -> str:
        return in_python(self.typed)


class UsageError(TranslateError):
    """The call, the settings or the target directory must be corrected."""

    exit_code = ExitCode.USAGE


class CallError(UsageError, TypeError):
    """A call has an argument of another kind or name than it takes, or lacks one."""


class SourceError(TranslateError):
    """No source could be read."""


class PreflightError(TranslateError):
    """The target would lose data; `findings` says which, and each can be accepted by its name."""

    exit_code = ExitCode.PREFLIGHT

    def __init__(self, message: str, findings: Iterable[Any] = ()) -> None:
        self.findings = list(findings)
        super().__init__(message)


class OutputError(TranslateError):
    """The target could not be written; the same call resumes once there is room and right."""


class ConservationError(TranslateError):
    """Events went in that did not come out anywhere."""


@dataclass(frozen=True, order=True)
class Complaint:
    """One thing wrong in a mapping, recipe or settings file: where, and what, and the way out.

    `line` is that of the file, where it is known; `excerpt` shows the place in an expression.
    """

    file: str
    path: str
    message: str
    line: int | None = field(default=None, compare=False)
    excerpt: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """Give the complaint as one line, without what changes when lines are added to the file."""
        return ": ".join(filter(None, (self.file, self.path, self.message)))

    def __str__(self) -> str:
        """Write the complaint with its line, and the place below it."""
        file = self.file if self.line is None else f"{self.file}:{self.line}"
        sentence = ": ".join(filter(None, (file, self.path, self.message)))
        return f"{sentence}\n{self.excerpt}" if self.excerpt else sentence


class MappingError(TranslateError):
    """A mapping, recipe or settings file is wrong; `complaints` holds all that is."""

    exit_code = ExitCode.USAGE

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = list(complaints)
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


def refuse_bytes(given: str, shown: str) -> None:
    """Raise UsageError for what was typed in bytes that are no UTF-8 text: nothing of that can be written down."""
    if not given.isprintable() and any("\ud800" <= character <= "\udfff" for character in given):
        raise UsageError(f"{given.encode(errors='backslashreplace').decode()}: {shown} should be UTF-8 text")


def refuse_store(place: str | os.PathLike[str], shown: str) -> None:
    """Raise UsageError for a URL where a folder has to be: else its scheme would become a folder."""
    address = STORE.match(os.fspath(place))
    if address:
        raise UsageError(
            f"{address[1]}://{address[2]}: {shown} is a folder of this machine; name one, and copy it from there"
        )


def in_python(text: str) -> str:
    """Say to a caller from Python what names options: `--where: ...` becomes `where: ...`, `--limit 0` becomes `limit=0`."""
    called = COMMAND.sub(_call, text)
    return OPTION.sub(_argument, called).replace("translate models lists", "translate.models() lists")


def _call(command: re.Match[str]) -> str:
    return f"translate.{command['name']}(..., {', '.join(_argument(option) for option in OPTION.finditer(command['options']))})"


def _argument(option: re.Match[str]) -> str:
    name, value = option["name"], option["value"]
    if name in OF_OTHER_TOOLS:
        return option[0]
    if name in SAID_OTHERWISE:
        return f"{SAID_OTHERWISE[name]}{f'={value}' if value else ''}"
    argument = f"{name.replace('-', '_')}{'_' if name in RESERVED else ''}"
    if value is None:
        begins = option.start() == 0 and option.string.startswith(":", option.end())
        return argument if begins else f"{argument}="
    end = "." if value.endswith(".") and not value.endswith("..") else ""  # that of the sentence
    value = value.removesuffix(end)
    return f"{argument}={value}{end}" if value.isdigit() or value[0] == '"' else f'{argument}="{value}"{end}'


def suggest(name: str, known: Iterable[str], about: Callable[[str], str] = str) -> str:
    """Give the clause `; did you mean "x"?`, as `about` shows it, or nothing unless a known name is really near."""
    names = {_plain(candidate): candidate for candidate in reversed(list(known))}
    near = difflib.get_close_matches(_plain(name), list(names), n=1, cutoff=0.75)
    return f'; did you mean "{about(names[near[0]])}"?' if near else ""


def _plain(name: str) -> str:
    """Spell a name as if nobody minded capitals, hyphens and blanks."""
    return name.lower().replace("-", "_").replace(" ", "_")
