"""Options of every command that reads or writes a store, spelled as the AWS CLI spells them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from translate.errors import UsageError

REQUESTER = "requester"
OPTIONS: dict[str, tuple[Any, Any]] = {
    "profile": (
        Annotated[
            str | None,
            typer.Option(
                "--profile", metavar="NAME", help="S3: a profile of ~/.aws/config; else AWS_PROFILE."
            ),
        ],
        None,
    ),
    "region": (
        Annotated[
            str | None, typer.Option("--region", metavar="NAME", help="S3: the bucket's region; else found.")
        ],
        None,
    ),
    "endpoint_url": (
        Annotated[
            str | None,
            typer.Option("--endpoint-url", metavar="URL", help="S3: another store that speaks its language."),
        ],
        None,
    ),
    "request_payer": (
        Annotated[
            str | None,
            typer.Option(
                "--request-payer",
                metavar=REQUESTER,
                help="S3: you pay for what is read from another one's bucket.",
            ),
        ],
        None,
    ),
    "no_sign_request": (
        Annotated[
            bool, typer.Option("--no-sign-request", help="S3: the bucket is open to all; no credentials.")
        ],
        False,
    ),
}


def reaching_stores(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say who asks a store, and where it is."""
    signature = inspect.signature(command, eval_str=True)
    own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in OPTIONS.items()
    ]

    @wraps(command)
    def reached(**given: Any) -> Any:
        _say(**{name: given.pop(name) for name in OPTIONS})
        return command(**given)

    reached.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *own])  # type: ignore[attr-defined]
    reached.__annotations__ = {
        **{name: parameter.annotation for name, parameter in signature.parameters.items()},
        **{name: annotation for name, (annotation, _) in OPTIONS.items()},
        "return": signature.return_annotation,
    }
    return reached


def _say(
    *, profile: str | None, region: str | None, endpoint_url: str | None, request_payer: str | None, no_sign_request: bool
) -> None:  # fmt: skip
    from translate.stores import access

    if request_payer not in (None, REQUESTER):
        raise UsageError(f'--request-payer {request_payer}: there is only "{REQUESTER}"')
    access.say(
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        request_payer=request_payer is not None,
        sign_requests=not no_sign_request,
    )
