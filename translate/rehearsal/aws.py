"""What AWS's services share: who is let in, and how errors are told."""

from __future__ import annotations

from translate.rehearsal.messages import Reply, Request, json_reply
from translate.rehearsal.options import Options
from translate.rehearsal.signatures import Denial, claim_of, denial_of


def not_let_in(request: Request, options: Options, service: str) -> Reply | None:
    """Answer a request that is not signed as it should be; nothing if it is.

    Without credentials among the options any signature will do, but there has to be one.
    """
    if options.access_key and options.secret_key:
        denial = denial_of(request, service, options.access_key, options.secret_key)
    else:
        claim = claim_of(request)
        denial = claim if isinstance(claim, Denial) else None
    return error(403, denial.code, denial.message, request) if denial else None


def error(status: int, code: str, message: str, request: Request) -> Reply:
    """Tell an error as AWS's REST and JSON services do; SDKs make an exception of the code."""
    return json_reply(
        status, {"message": message}, {"x-amzn-ErrorType": code, "x-amzn-RequestId": request.id}
    )


def accepted(status: int, request: Request, body: bytes = b"") -> Reply:
    """Answer that all is well."""
    return Reply(status, body, {"Content-Type": "application/json", "x-amzn-RequestId": request.id})
