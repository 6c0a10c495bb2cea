"""The commands that tell without converting: the models, what is in an archive, where fields come from, one record's way, the figures of two archives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import translate
from translate.cli import app
from translate.cli.options import (
    AsJson,
    From,
    Mappings,
    Recipe,
    Selection,
    Settings,
    Sources,
    grouped,
    layout_option,
    reaching_stores,
    recipes,
    said,
    switch,
)
from translate.cli.printing import Bar, paper, print_json, tell, whoever_listens
from translate.errors import ExitCode, UsageError
from translate.wording.terminal import columns

FOLDERS_HELP = "What convert left behind, or a journal of replay; as many as belong together."
SOURCE_HELP = (
    "What was converted, to compare the figures on both sides: one for all DIR, or one for each, in order."
)
ERASED_HELP = "The list of those whom the run left out, if it had one."
RUNS_RECIPE_HELP = "Recipe of your own that a run had; as often as there are such."
RECORD_HELP = "The record: FILE:LINE, FILE:LINE#N for the Nth event of a line, or SOURCE with --id."
ID_HELP = "Look in SOURCE for the first event of this id, its own or the one made of its content."
PATHS_HELP = (
    "What was converted (files, folders, globs, s3:// URLs), and last what it was converted into: the directory of "
    "convert, or any archive."
)
Erased = Annotated[Path | None, said("--erase", "FILE", ERASED_HELP)]


@app.command()
@reaching_stores
def inspect(
    sources: Sources,
    *,
    from_: From = None,
    selection: Selection,
    settings: Settings,
    examples: Annotated[bool, switch("--examples", "Show one value of each key.")] = False,
    html: Annotated[
        Path | None, said("--html", "FILE", "Write a page with charts, and a grade for each target.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say what is in an archive: models, times, types, keys, people, purchases, and faults; nothing is changed.

    The exit code is 1 if a record cannot be read.
    """
    _check_page(html)
    with Bar() as bar:
        found = translate.inspect(
            sources, from_=from_, **selection, **settings, examples=examples, progress=bar.show
        )
        if html is not None:
            found.write_html(html)
    with whoever_listens():
        if as_json:
            sys.stdout.writelines(found.json_pieces())
            print()
        else:
            print(found.on(paper()))
        if html is not None and not as_json:
            print(f"page: {html}")
    return ExitCode.FLAWED if found.values["events"]["unreadable"] else ExitCode.DONE


def _check_page(html: Path | None) -> None:
    """Refuse a page that cannot be written, before anything is read."""
    if html is not None and not html.absolute().parent.is_dir():
        raise UsageError(f"--html {html}: there is no such folder; make it, or name another file")
    if html is not None and html.is_dir():
        raise UsageError(f"--html {html}: is a folder; name a file in it, such as {html / 'page.html'}")


@app.command()
@reaching_stores
def dossier(
    *,
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help=FOLDERS_HELP)],
    source: Annotated[list[str] | None, said("--source", "SOURCE", SOURCE_HELP)] = None,
    erase: Erased = None,
    recipe: Annotated[
        list[str] | None, said("--recipe", "FILE", RUNS_RECIPE_HELP, autocompletion=recipes)
    ] = None,
    settings: Settings,
    html: Annotated[Path | None, said("--html", "FILE", "Write the page that somebody signs.")] = None,
    as_json: AsJson = False,
) -> int:
    """Put together what tells of a migration: what was there, was done, was lost and why, figures, hazards, digests.

    Nothing is changed. The exit code is 1 if something is open: rejected or refused events, unsent ones, a difference that nothing explains, or a source that
    is not as it was.
    """
    _check_page(html)
    found = translate.dossier(folders, source=source or (), recipe=recipe, erase=erase, **settings)
    if html is not None:
        found.write_html(html)
    here, page = paper(), f"\npage: {html}" if html else ""
    tell(found, lambda: print(found.to_text(here.width, colour=here.colour) + page), as_json=as_json)
    return ExitCode.FLAWED if found.open else ExitCode.DONE


@app.command()
@reaching_stores
def why(
    *,
    record: Annotated[str, typer.Argument(metavar="FILE:LINE", help=RECORD_HELP)],
    to: Annotated[str, layout_option("--to", "What it would be converted into; `hub` too.")],
    id_: Annotated[str | None, said("--id", "ID", ID_HELP)] = None,
    from_: From = None,
    recipe: Recipe = None,
    settings: Settings,
    as_json: AsJson = False,
) -> None:
    """Follow one record through a conversion: what each field of the target holds, whence, or why it is empty."""
    told = translate.why(record, to=to, id_=id_, from_=from_, recipe=recipe, **settings)
    tell(told, lambda: print(told.to_text(paper().width), end=""), as_json=as_json)


@app.command()
@reaching_stores
def parity(
    *,
    paths: Annotated[list[str], typer.Argument(metavar="SOURCE... TARGET", help=PATHS_HELP)],
    report: Annotated[
        Path | None, said("--report", "FILE", "The report.json of the run, where it does not lie in TARGET.")
    ] = None,
    from_: From = None,
    to: Annotated[str | None, layout_option("--to", "What TARGET is; recognised if not said.")] = None,
    erase: Erased = None,
    recipe: Recipe = None,
    settings: Settings,
    as_json: AsJson = False,
) -> int:
    """Compare the figures that people judge by, on both sides: events, users, sessions, revenue, retention.

    Each difference is explained by what the run did (filtered, rejected, added, changed, no place in the target) or
    flagged. The exit code is 1 if one is not explained.
    """
    *sources, target = paths
    if not sources:
        raise UsageError(f"parity needs SOURCE and TARGET, and {target} is only one of them")
    found = translate.parity(
        sources, target, report=report, from_=from_, to=to, recipe=recipe, erase=erase, **settings
    )
    here = paper()
    tell(found, lambda: print(found.to_text(width=here.width, colour=here.colour), end=""), as_json=as_json)
    return ExitCode.FLAWED if found.unexplained else ExitCode.DONE


@app.command()
@grouped
def explain(
    *,
    from_: Annotated[str, layout_option("--from", "What the source is; `hub` too.")],
    to: Annotated[str, layout_option("--to", "What would be written.")],
    recipe: Recipe = None,
    settings: Settings,
    as_markdown: Annotated[bool, switch("--markdown", "Print Markdown, for a runbook.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell where each field of a target comes from, by which conversion, and what of the source has no place."""
    if as_json and as_markdown:
        raise translate.UsageError("--json and --markdown: say one of them")
    explained = translate.explain(from_=from_, to=to, recipe=recipe, **settings)
    text = explained.to_markdown() if as_markdown else explained.to_text(paper().width)
    tell(explained, lambda: print(text, end=""), as_json=as_json)


@app.command()
def models(mappings: Mappings = None, as_json: AsJson = False) -> None:
    """List the models, their layouts, and what each can read and write."""
    layouts = translate.models(mappings)
    if as_json:
        print_json(layouts.to_dicts())
        return
    lines = [("layout", "read", "write", "about")]
    for row in layouts.iter_rows(named=True):
        marks = ["yes" if row[name] else "-" for name in ("read", "write")]
        default = " (default)" if row["default"] else ""
        lines.append((f"{row['model']}/{row['layout']}{default}", *marks, row["about"]))
    print("\n".join(columns(lines, paper(), wrapped=(3,), kept=(0,), head=True)))
