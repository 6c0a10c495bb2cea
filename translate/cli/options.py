"""Arguments and options that several commands take, meaning the same everywhere; those that go together are one parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

import translate
from translate.errors import UsageError
from translate.stores import say

REQUESTER = "requester"


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


def layout_option(flag: str, help_: str) -> Any:
    """Give an option that names a model, or one of its layouts."""
    return said(flag, "MODEL[/LAYOUT]", help_, autocompletion=layouts)


def said(flag: str, metavar: str, help_: str, **more: Any) -> Any:
    """Give an option that takes a value."""
    return typer.Option(flag, metavar=metavar, help=help_, **more)


def switch(flag: str, help_: str) -> Any:
    """Give an option that is there or is not."""
    return typer.Option(flag, help=help_)


SOURCES_HELP = "File, folder (read recursively), glob, s3:// URL of these, or - for standard input."
Sources = Annotated[list[str], typer.Argument(metavar="SOURCE", help=SOURCES_HELP)]
From = Annotated[str | None, layout_option("--from", "What the source is; recognised if not said.")]
RECIPE_HELP = "Recipe: a file, or the name of a shipped one, e.g. ecommerce-to-personalize."
Recipe = Annotated[str | None, said("--recipe", "FILE", RECIPE_HELP, autocompletion=recipes)]
ERASE_HELP = (
    "Leave out the events of people: a file of their user, client, device or address ids, or of keyed hashes of these, one a "
    "line; then all that was written is read again, to show that none of them stands there, or where."
)
Erase = Annotated[Path | None, said("--erase", "FILE", ERASE_HELP)]
MAPPINGS_HELP = (
    "Folder of data sheets (MODEL.toml) and recipes (recipes/NAME.toml) that are added to the shipped ones, or "
    "replace them."
)
Mappings = Annotated[Path | None, said("--mappings", "DIR", MAPPINGS_HELP)]
AsJson = Annotated[bool, switch("--json", "Print JSON instead of tables.")]


# -- options that go together -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Options that go together: each by the name under which calls take it, with its type, what is said of it, and its default."""

    options: dict[str, tuple[Any, Any, Any]]


SELECTION = Group({
    "where": (str | None, said("--where", "SQL", "Take only events for which this is true, e.g. \"name = 'purchase'\"."), None),
    "since": (str | None, said("--since", "TIME", "Take only events from this time on; UTC if it names no zone."), None),
    "until": (str | None, said("--until", "TIME", "Take only events before this time."), None),
    "limit": (int | None, said("--limit", "N", "Stop after so many events."), None),
})  # fmt: skip
SETTINGS = Group({
    "settings": (Path | None, said("--settings", "FILE", "Settings, in TOML."), None),
    "set_": (list[str], said("--set", "KEY=VALUE", "One setting, e.g. app_ids.OLD=new; as often as needed."), ()),
    "mappings": (Path | None, get_args(Mappings)[1], None),
})  # fmt: skip
STORES = Group({  # spelled as the AWS CLI spells them
    "profile": (str | None, said("--profile", "NAME", "S3: a profile of ~/.aws/config; else AWS_PROFILE."), None),
    "region": (str | None, said("--region", "NAME", "S3: the bucket's region; else found."), None),
    "endpoint_url": (str | None, said("--endpoint-url", "URL", "S3: another store that speaks its language."), None),
    "request_payer": (str | None, said("--request-payer", REQUESTER, "S3: you pay for what is read from another one's bucket."), None),
    "no_sign_request": (bool, switch("--no-sign-request", "S3: the bucket is open to all; no credentials."), False),
})  # fmt: skip

Selection = Annotated[dict[str, Any], SELECTION]
Settings = Annotated[dict[str, Any], SETTINGS]


def grouped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of each group among its parameters, in the group's place; it takes them as one table."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Group] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        group = next((said for said in get_args(parameter.annotation) if isinstance(said, Group)), None)
        if group is None:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = group
        parameters += (
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, said], default=default)
            for name, (kind, said, default) in group.options.items()
        )  # fmt: skip

    @wraps(command)
    def taken(**given: Any) -> Any:
        tables = {table: {name: given.pop(name) for name in group.options} for table, group in groups.items()}
        return command(**given, **tables)

    taken.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    taken.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taken


def reaching_stores(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its groups, and the options that say who asks a store, and where it is."""

    @wraps(command)
    def reached(*, stores: dict[str, Any], **given: Any) -> Any:
        _ask_stores_as(**stores)
        return command(**given)

    signature = inspect.signature(command, eval_str=True)
    own = inspect.Parameter(
        "stores", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[dict[str, Any], STORES]
    )
    reached.__signature__ = signature.replace(parameters=[*signature.parameters.values(), own])  # type: ignore[attr-defined]
    return grouped(reached)


def _ask_stores_as(*, request_payer: str | None, no_sign_request: bool, **who: str | None) -> None:
    if request_payer not in (None, REQUESTER):
        raise UsageError(f'--request-payer {request_payer}: there is only "{REQUESTER}"')
    say(request_payer=request_payer is not None, sign_requests=not no_sign_request, **who)
