"""The command line: parse, call, print. Whatever it does is a call of the front door."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial, partialmethod
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from translate import __version__
from translate.cli.printing import SHOWN_MAX, keep_streams, whoever_listens
from translate.engine.choice import ask_polars_for_less, engine, library
from translate.errors import STORE, ExitCode, MappingError, TranslateError, UsageError
from translate.wording.rendering import printable

# Where a command lies; the order is that of a migration, and of the help.
HOMES = {
    "inspect": "telling",
    "explain": "telling",
    "why": "telling",
    "convert": "conversion",
    "validate": "judging",
    "roundtrip": "judging",
    "parity": "telling",
    "rehearse": "rehearsal",
    "replay": "delivery",
    "dossier": "telling",
    "check": "judging",
    "models": "telling",
    "spark-check": "conversion",
}
WHOLE = 1000  # no first sentence is cut
VALUE_CHARACTERS = 100  # of a value that is no number
OBJECTS_BETWEEN_COLLECTIONS = 50_000  # what is imported stays: to look through it often only takes time
PIPED = re.compile(r"-:\d.*")  # to the parser it is an option
NAME_CHARACTERS = 200  # of one that is in error
MEANT = {
    "validate --to": "--as",
    "validate --from": "--as",
    "roundtrip --to": "--via",
    "inspect --out": "--html",
    "dossier --out": "--html",
}


class _AsGiven:
    """Takes text and paths as they are given, and asks typer for all else: it asks pydantic, which is slow to import."""

    def __init__(self, typer_s: Callable[[], Any]) -> None:
        self._typer_s = typer_s

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Give a parameter's value; None where it was not given."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        take = AS_GIVEN.get(param.type_descriptor.annotation)
        given = value if several else [value]
        if take is _readable and "" in given:  # a path of no text is the folder that one stands in
            raise UsageError(
                f"{param.opts[0] if isinstance(param, TyperOption) else param.metavar} is empty: name a path, or . for the folder that you are in"
            )
        if take is not None and all(isinstance(text, str) for text in given):
            made = [take(text) for text in given]
            if None not in made:
                return made if several else made[0]
        try:
            return self._typer_s().coerce(value, param=param, ctx=ctx)
        except typer.BadParameter:
            wanted = NUMBERS.get(param.type_descriptor.annotation)
            if wanted is None or _is_number(value, param.type_descriptor.annotation):
                raise
            typed = str(value)
            if len(typed) > VALUE_CHARACTERS:
                typed = f"{typed[:VALUE_CHARACTERS]}..."
            raise UsageError(f"{param.opts[0]} {typed}: should be {wanted}") from None


def _is_number(value: Any, kind: Callable[[Any], float]) -> bool:
    with contextlib.suppress(ValueError, TypeError):
        return kind(value) == kind(value)
    return False


def _readable(text: str) -> Path | None:
    """Give a path; None for one that is there and may not be read, of which typer has to tell."""
    return Path(text) if os.access(text, os.R_OK) or not os.path.exists(text) else None


NUMBERS: dict[Any, str] = {int: "a whole number", float: "a number"}
AS_GIVEN: dict[Any, Callable[[str], Any]] = {str: str, Path: _readable, list[str]: str, list[Path]: _readable}
for _kind in (TyperArgument, TyperOption):
    if _typer_s := getattr(_kind, "get_runtime_param", None):  # else this is a typer that has another way
        setattr(  # noqa: B010  mypy takes no other method
            _kind,
            "get_runtime_param",
            partialmethod(lambda parameter, typer_s: _AsGiven(partial(typer_s, parameter)), _typer_s),
        )


class _Commands(TyperGroup):
    """The commands in the order of a migration, each with its whole first sentence."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for command in self.commands.values():
            for parameter in command.params:
                if isinstance(parameter, TyperArgument):
                    # Else the help says `SOURCE <list[str]>`, which is for those who write Python.
                    parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign]  # noqa: ARG005

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=list(HOMES).index)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            told = {name: self.commands[name].get_short_help_str(WHOLE) for name in self.list_commands(ctx)}
            formatter.write_dl([*told.items()])


app = typer.Typer(
    name="translate",
    cls=_Commands,
    help="Converts archives of analytics events from one model to another: `translate models` lists them, `translate inspect` looks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"translate {__version__} ({engine()})")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
    library()  # whoever insists on an engine that is not there is told before anything else


# -- a call, and how it ends ------------------------------------------------------------------------------------


def main() -> NoReturn:
    """Run the command line and leave with the exit code of the contract."""
    keep_streams()
    sys.argv[1:] = _spelled_here(sys.argv[1:])
    ask_polars_for_less()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # the end of the process needs no search for what nobody holds any more
    commands(sys.argv[1:])
    _listen()
    warnings.showwarning = _warn
    try:
        raise SystemExit(_called())
    except MappingError as error:
        _complain(error)
        raise SystemExit(error.exit_code) from None
    except TranslateError as error:
        print(f"translate: {error.typed}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        _end_interrupted()
    except OSError as error:  # a name that no file can have, and the like
        where = f"{str(error.filename)[:NAME_CHARACTERS]}: " if error.filename else ""
        print(f"translate: {printable(where)}{error.strerror or error}", file=sys.stderr)
        raise SystemExit(ExitCode.UNFINISHED) from None
    except Exception as error:
        if _heard:  # the engine passes over it where it takes arguments, and then misses one
            _end_interrupted()
        if not _is_shown(error):
            raise
        raise SystemExit(ExitCode.USAGE) from None
    finally:
        # Registered last, it comes first: at the end a signal would stop others that clean up.
        for number in (signal.SIGINT, signal.SIGTERM):
            atexit.register(signal.signal, number, signal.SIG_IGN)


def _called() -> int:
    """Do what is asked for; give its exit code, of which it changes nothing whether somebody reads what is printed."""
    try:
        code = app(standalone_mode=False)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the parser makes it a flaw of the run
            return ExitCode.DONE
        raise
    if code == ExitCode.INTERRUPTED:  # what the parser makes of Ctrl-C
        raise KeyboardInterrupt
    with whoever_listens():
        sys.stdout.flush()
    return code if isinstance(code, int) else ExitCode.DONE


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
    command = getattr(getattr(error, "ctx", None), "info_name", None)
    typed = getattr(error, "option_name", None)
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


def _spelled_here(arguments: list[str]) -> list[str]:
    """Take `help COMMAND`, as git and others have it, for `COMMAND --help`, and `why -:7` for a line of standard input."""
    if arguments[:1] == ["why"] and "--" not in arguments:
        piped = [word for word in arguments if PIPED.fullmatch(word)]
        return [*(word for word in arguments if word not in piped), *(["--", *piped] if piped else [])]
    return [*arguments[1:2], "--help"] if arguments[:1] == ["help"] else arguments


def _is_shown(error: Exception) -> bool:
    """Have the parser show what it refuses, if it is that."""
    _name_what_is_meant(error)
    show = getattr(error, "show", None)
    if show is not None:
        show()
    return show is not None


_heard: list[int] = []  # signals to stop


def _listen() -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where somebody has it ignored
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _heard.append(number)
    raise KeyboardInterrupt


def _end_interrupted() -> NoReturn:
    with contextlib.suppress(KeyboardInterrupt):  # heard once more
        print("translate: interrupted; repeat the call to resume it", file=sys.stderr)
    raise SystemExit(ExitCode.INTERRUPTED) from None


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"translate: {message}", file=sys.stderr)


def _complain(error: MappingError) -> None:
    for complaint in error.complaints[:SHOWN_MAX]:
        print(f"translate: {complaint}", file=sys.stderr)
    if len(error.complaints) > SHOWN_MAX:
        print(f"translate: and {len(error.complaints) - SHOWN_MAX} more", file=sys.stderr)
