"""The application that the commands belong to."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperGroup

from translate.engine.choice import engine, library
from translate.version import VERSION

# Where a command lies; the order is that of a migration, and of the help.
HOMES = {
    "inspect": "inspection",
    "explain": "conversion",
    "why": "tracing",
    "convert": "conversion",
    "validate": "judging",
    "roundtrip": "judging",
    "parity": "figures",
    "rehearse": "rehearsal",
    "replay": "delivery",
    "check": "conversion",
    "models": "conversion",
}
WHOLE = 1000  # no first sentence is cut


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
        print(f"translate {VERSION} ({engine()})")
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
