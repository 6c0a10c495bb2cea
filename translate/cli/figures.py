"""The command that compares the figures of two archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import translate
from translate.cli.application import app
from translate.cli.options import AsJson, Assignments, From, Mappings, Recipe, SettingsFile, layouts
from translate.cli.printing import whoever_listens
from translate.errors import ExitCode


@app.command()
def parity(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="What was converted: file, folder, glob, or s3:// URL.")
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="What it was converted into: the directory of convert, or any archive."
        ),
    ],
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The report.json of the run, where it does not lie in TARGET."),
    ] = None,
    from_: From = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="MODEL[/LAYOUT]",
            autocompletion=layouts,
            help="What TARGET is; recognised if not said.",
        ),
    ] = None,
    recipe: Recipe = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    mappings: Mappings = None,
    as_json: AsJson = False,
) -> int:
    """Compare the figures that people judge by, on both sides: events, users, sessions, revenue, retention.

    Each difference is explained by what the run did (filtered, rejected, added, changed, no place in the target) or
    flagged. The exit code is 1 if one is not explained.
    """
    found = translate.parity(
        source,
        target,
        report=report,
        from_=from_,
        to=to,
        recipe=recipe,
        settings=settings,
        set_=set_ or (),
        mappings=mappings,
    )
    with whoever_listens():
        print(
            json.dumps(found.to_json(), indent=2, ensure_ascii=False) if as_json else found.to_text(),
            end="\n" if as_json else "",
        )
    return ExitCode.FLAWED if found.unexplained else ExitCode.DONE
