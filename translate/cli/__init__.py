"""The command line: parse, call, print. Whatever it does is a call of the front door."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import typer

from translate.cli.application import HOMES, app
from translate.cli.printing import SHOWN_MAX, printable
from translate.engine.choice import ask_polars_for_less
from translate.errors import STORE, ExitCode, MappingError, TranslateError

# What is imported stays: to look through it time and again only takes time.
OBJECTS_BETWEEN_COLLECTIONS = 50_000
SHOWN_CHARACTERS = 200  # of a name that is in error
MEANT = {
    "validate --to": "--as",
    "validate --from": "--as",
    "roundtrip --to": "--via",
    "inspect --out": "--html",
    "dossier --out": "--html",
}


def main() -> NoReturn:
    """Run the command line and leave with the exit code of the contract."""
    if sys.argv[1:2] == ["help"]:  # as git and others have it
        sys.argv[1:] = [*sys.argv[2:3], "--help"]
    ask_polars_for_less()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # the end of the process needs no search for what nobody holds any more
    commands(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    warnings.showwarning = _warn
    try:
        code = app(standalone_mode=False)
        if code == ExitCode.INTERRUPTED:  # what the parser makes of Ctrl-C
            raise KeyboardInterrupt
        raise SystemExit(code if isinstance(code, int) else ExitCode.DONE)
    except MappingError as error:
        _complain(error)
        raise SystemExit(error.exit_code) from None
    except TranslateError as error:
        print(f"translate: {error.typed}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        print("translate: interrupted; repeat the call to resume it", file=sys.stderr)
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(ExitCode.DONE) from None
    except OSError as error:  # a name that no file can have, and the like
        where = f"{str(error.filename)[:SHOWN_CHARACTERS]}: " if error.filename else ""
        print(f"translate: {printable(where)}{error.strerror or error}", file=sys.stderr)
        raise SystemExit(ExitCode.UNFINISHED) from None
    except Exception as error:
        _name_what_is_meant(error)
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        raise SystemExit(ExitCode.USAGE) from None


def commands(arguments: Sequence[str] = ()) -> typer.Typer:
    """Give the application with the command that these arguments call, or with all: to make them takes a while."""
    first = arguments[0] if arguments else ""
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    wanted = [] if first == "--version" else [first] if first in HOMES and not completing else HOMES
    for name in wanted:
        import_module(f"{__name__}.{HOMES[name]}")
    return app


def _name_what_is_meant(error: Exception) -> None:
    """Have the parser tell the option that others call by the word that was typed."""
    command, typed = (
        getattr(getattr(error, "ctx", None), "info_name", None),
        getattr(error, "option_name", None),
    )
    meant = MEANT.get(f"{command} {typed}", MEANT.get(str(typed)))
    if meant is not None and getattr(error, "possibilities", None) is not None:
        error.possibilities = [meant]  # type: ignore[attr-defined]
    later = next((word for word in sys.argv[1:] if word in HOMES), None)
    known = getattr(getattr(error, "param", None), "opts", ())
    bare = next((word for word in sys.argv[2:] if f"--{word}" in known), None)
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if bare and not typed:
        error.message = f"An option has two hyphens: --{bare} ..."  # type: ignore[attr-defined]
    if "requires an argument" in str(error) and first in HOMES:
        error.message = f"{error} translate {first} --help tells which"  # type: ignore[attr-defined]
    if "No such command" in str(error) and (os.path.exists(first) or STORE.match(first)):
        error.message = f"No such command '{first}'; the command stands first: translate inspect {first}"  # type: ignore[attr-defined]
    if typed and later and hasattr(error, "possibilities") and command not in HOMES:
        error.message = f"No such option: {typed}; the command stands first: translate {later} {typed} ..."  # type: ignore[attr-defined]
    if command == "models" and (typed or "extra argument" in str(error)):
        if hasattr(error, "possibilities"):
            error.possibilities = None  # none of them is what was meant
        error.message = f"{error}; models lists all, explain --from MODEL --to MODEL tells the fields of one"  # type: ignore[attr-defined]


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"translate: {message}", file=sys.stderr)


def _complain(error: MappingError) -> None:
    for complaint in error.complaints[:SHOWN_MAX]:
        print(f"translate: {complaint}", file=sys.stderr)
    if len(error.complaints) > SHOWN_MAX:
        print(f"translate: and {len(error.complaints) - SHOWN_MAX} more", file=sys.stderr)
