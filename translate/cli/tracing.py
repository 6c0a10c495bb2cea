"""The command that follows one record through a conversion."""

from __future__ import annotations

import json
import shutil
from typing import Annotated

import typer

import translate
from translate.cli.application import app
from translate.cli.options import AsJson, Assignments, From, Mappings, Recipe, SettingsFile, layouts
from translate.cli.printing import whoever_listens

UNFOLDED = 10_000  # where there is no terminal, tables are not folded


@app.command()
def why(
    record: Annotated[
        str,
        typer.Argument(
            metavar="FILE:LINE",
            help="The record: FILE:LINE, FILE:LINE#N for the Nth event of a line, or SOURCE with --id.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="MODEL[/LAYOUT]",
            autocompletion=layouts,
            help="What it would be converted into; `hub` too.",
        ),
    ],
    id_: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Look in SOURCE for the first event of this id, its own or the one made of its content.",
        ),
    ] = None,
    from_: From = None,
    recipe: Recipe = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    mappings: Mappings = None,
    as_json: AsJson = False,
) -> None:
    """Follow one record through a conversion: what each field of the target holds, whence, or why it is empty."""
    told = translate.why(
        record,
        to=to,
        id_=id_,
        from_=from_,
        recipe=recipe,
        settings=settings,
        set_=set_ or (),
        mappings=mappings,
    )
    with whoever_listens():
        if as_json:
            print(json.dumps(told.to_json(), indent=2, ensure_ascii=False))
        else:
            print(told.to_text(shutil.get_terminal_size((UNFOLDED, 24)).columns), end="")
