"""The command line: parse, call, print. Whatever it does is a call of the front door."""

from __future__ import annotations

import signal
import sys
import warnings
from types import FrameType
from typing import Any, NoReturn

import typer

from translate.cli import conversion, delivery, figures, inspection, judging, rehearsal, tracing  # noqa: F401  they add their commands
from translate.cli.application import app
from translate.cli.printing import SHOWN_MAX, printable
from translate.errors import ExitCode, MappingError, TranslateError

SHOWN_CHARACTERS = 200  # of a name that is in error


def main() -> NoReturn:
    """Run the command line and leave with the exit code of the contract."""
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
        print(f"translate: {error}", file=sys.stderr)
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
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        raise SystemExit(ExitCode.USAGE) from None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"translate: {message}", file=sys.stderr)


def _complain(error: MappingError) -> None:
    for complaint in error.complaints[:SHOWN_MAX]:
        print(f"translate: {complaint}", file=sys.stderr)
    if len(error.complaints) > SHOWN_MAX:
        print(f"translate: and {len(error.complaints) - SHOWN_MAX} more", file=sys.stderr)
