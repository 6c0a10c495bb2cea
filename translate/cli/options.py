"""Arguments and options that several commands take, meaning the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Sources = Annotated[list[str], typer.Argument(metavar="SOURCE", help="File, folder (read recursively), glob, or s3:// URL of these.")]
From = Annotated[str | None, typer.Option("--from", metavar="MODEL[/LAYOUT]", help="What the source is; recognised if not said.")]
Recipe = Annotated[str | None, typer.Option("--recipe", metavar="FILE", help="Recipe: a file, or the name of a shipped one, e.g. ecommerce-to-personalize.")]
Where = Annotated[str | None, typer.Option("--where", metavar="SQL", help='Take only events for which this is true, e.g. "name = \'purchase\'".')]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Take only events from this time on; UTC if it names no zone.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Take only events before this time.")]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after so many events.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="Settings, in TOML.")]
Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. app_ids.OLD=new; as often as needed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
