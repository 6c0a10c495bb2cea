"""The command that looks: what is in an archive, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import translate
from translate.cli.application import app
from translate.cli.options import (
    AsJson,
    Assignments,
    From,
    Limit,
    Mappings,
    SettingsFile,
    Since,
    Sources,
    Until,
    Where,
)
from translate.cli.printing import whoever_listens
from translate.conversion.progress import Bar
from translate.errors import ExitCode, OutputError, UsageError

if TYPE_CHECKING:
    from translate.telling.inspection import Inspection


@app.command()
def inspect(
    sources: Sources,
    from_: From = None,
    where: Where = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    settings: SettingsFile = None,
    set_: Assignments = None,
    mappings: Mappings = None,
    examples: Annotated[bool, typer.Option("--examples", help="Show one value of each key.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with charts, and a grade for each target."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say what is in an archive: models, times, types, keys, people, purchases, and faults; nothing is changed.

    The exit code is 1 if a record cannot be read.
    """
    if html is not None and not html.absolute().parent.is_dir():
        raise UsageError(f"--html {html}: there is no such folder; make it, or name another file")
    if html is not None and html.is_dir():
        raise UsageError(f"--html {html}: is a folder; name a file in it")
    with Bar() as bar:
        found = translate.inspect(
            sources, from_=from_, where=where, since=since, until=until, limit=limit, settings=settings, set_=set_ or (), mappings=mappings,
            examples=examples, progress=bar.show,
        )  # fmt: skip
        if html is not None:
            _write(found, html)
    with whoever_listens():
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False) if as_json else str(found))
        if html is not None and not as_json:
            print(f"page: {html}")
    return ExitCode.FLAWED if found.values["events"]["unreadable"] else ExitCode.DONE


def _write(found: Inspection, html: Path) -> None:
    try:
        found.write_html(html)
    except OSError as error:
        raise OutputError(
            f"--html {html}: {error.strerror or error}; name a file that can be written"
        ) from error
