"""The flag that asks for an account of each key, and may say who counts: no parser takes an option both with a value and without."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

HELP = (
    "Account for each key of the source in DIR/keys.ndjson, against a count in the raw text; not for files of the hub's "
    "own. With --census=verify a scanner apart from the engine counts, and the run takes 10 to 20 times as long."
)
SAID, TAKEN = "--census=verify", "--verified-census"

Tallied = Annotated[bool, typer.Option("--census", help=HELP)]
Verified = Annotated[bool, typer.Option(TAKEN, hidden=True)]


class WithCensus(TyperCommand):
    """A command whose flag may say more."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the flag with what it says as another one."""
        return super().parse_args(ctx, [TAKEN if word == SAID else word for word in args])
