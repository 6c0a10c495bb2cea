"""The application that the commands belong to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial, partialmethod
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from translate import __version__
from translate.engine.choice import engine, library
from translate.errors import UsageError

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
SHOWN_CHARACTERS = 100  # of a value that is no number


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
            typed = (
                str(value) if len(str(value)) <= SHOWN_CHARACTERS else f"{str(value)[:SHOWN_CHARACTERS]}..."
            )
            raise UsageError(f"{param.opts[0]} {typed}: should be {wanted}") from None


def _is_number(value: Any, kind: Callable[[Any], float]) -> bool:
    with contextlib.suppress(ValueError, TypeError):
        return kind(value) == kind(value)
    return False


def _readable(text: str) -> Path | None:
    """Give a path; None for one that is there and may not be read, of which typer has to tell."""
    return Path(text) if os.access(text, os.R_OK) or not os.path.exists(text) else None


NUMBERS: dict[Any, str] = {int: "a whole number", float: "a number"}
AS_GIVEN: dict[Any, Callable[[str], Any]] = {
    str: str,
    Path: _readable,
    list[str]: str,
    list[Path]: _readable,
}
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
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(WHOLE)) for name in self.list_commands(ctx)]
            )


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
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del version
    library()  # whoever insists on an engine that is not there is told before anything else
