"""The application that the commands belong to."""

from __future__ import annotations

from typing import Annotated

import typer

from translate.version import VERSION

app = typer.Typer(
    name="translate",
    help="Converts event archives between Amazon Mobile Analytics, Pinpoint, Clickstream, Learning Context and Personalize.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"translate {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    del version
