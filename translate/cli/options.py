"""Arguments and options that several commands take, meaning the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import translate


def models(incomplete: str) -> list[str]:
    """Complete a model."""
    from translate import mapping

    return [name for name in mapping.models() if name.startswith(incomplete)]


def layouts(incomplete: str) -> list[str]:
    """Complete a model, or a model and its layout."""
    rows = translate.models().to_dicts()
    names = {row["model"] for row in rows} | {f"{row['model']}/{row['layout']}" for row in rows}
    return sorted(name for name in names if name.startswith(incomplete))


def recipes(incomplete: str) -> list[str]:
    """Complete the name of a shipped recipe; files are the shell's business."""
    from translate import recipe

    return [name for name in recipe.names() if name.startswith(incomplete)]


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="File, folder (read recursively), glob, s3:// URL of these, or - for standard input.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL[/LAYOUT]",
        autocompletion=layouts,
        help="What the source is; recognised if not said.",
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="FILE",
        autocompletion=recipes,
        help="Recipe: a file, or the name of a shipped one, e.g. ecommerce-to-personalize.",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="SQL", help="Take only events for which this is true, e.g. \"name = 'purchase'\"."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Take only events from this time on; UTC if it names no zone."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Take only events before this time.")
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after so many events.")]
ERASE_HELP = (
    "Leave out the events of people: a file of their user, client, device or address ids, or of keyed hashes of these, one a "
    "line; then all that was written is read again, to show that none of them stands there, or where."
)
Erase = Annotated[Path | None, typer.Option(metavar="FILE", help=ERASE_HELP)]
SettingsFile = Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="Settings, in TOML.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. app_ids.OLD=new; as often as needed."),
]
Mappings = Annotated[
    Path | None,
    typer.Option(
        "--mappings",
        metavar="DIR",
        help="Folder of data sheets (MODEL.toml) and recipes (recipes/NAME.toml) that are added to the shipped ones, or replace them.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
PartSize = Annotated[
    str | None,
    typer.Option(
        "--part-size",
        metavar="SIZE",
        help="How much of the source becomes a part of the output, 64MB unless said: small files together, stretches of "
        "large ones that are not compressed; a run is resumed part by part.",
    ),
]
