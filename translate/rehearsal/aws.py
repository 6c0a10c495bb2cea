"""What AWS's services share: who is let in, and how errors are told.

Signature Version 4 is verified: recomputed by botocore over the headers that the client says it signed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from translate.rehearsal.messages import HttpReply, HttpRequest, json_reply
from translate.rehearsal.options import Options

ALGORITHM = "AWS4-HMAC-SHA256"
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)$"
)
SKEW_MAX = dt.timedelta(minutes=5)
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class Denial:
    """Why a signature is not accepted: AWS's code for it, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Claim:
    """What a request says about its signature; `presigned` ones say it in the query, which is then without it."""

    credential: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    query: str
    presigned: bool


class _Signer(SigV4Auth):  # type: ignore[misc]  # botocore tells no types
    """Botocore's signer, over the headers that the client chose and a payload that it hashed."""

    def __init__(
        self, secret_key: str, access_key: str, scope: list[str], claim: Claim, payload_hash: str
    ) -> None:
        super().__init__(Credentials(access_key, secret_key), scope[2], scope[1])
        self._claim, self._payload_hash = claim, payload_hash

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers = HTTPHeaders()
        for name in self._claim.signed_headers:
            headers[name] = request.headers.get(name, "")
        return headers

    def payload(self, request: AWSRequest) -> str:
        del request
        return self._payload_hash


def claim_of(request: HttpRequest) -> Claim | Denial:
    """Read what a request says about its signature, from its Authorization header or its query."""
    header = request.headers.get("authorization")
    if header is None:
        return _presigned(request)
    match = AUTHORIZATION.match(header)
    if not match:
        return Denial(
            "IncompleteSignatureException",
            "Authorization header requires Credential, SignedHeaders and Signature.",
        )
    stamp = request.headers.get("x-amz-date") or ""
    return Claim(match[1], tuple(match[2].split(";")), match[3], stamp, request.query, presigned=False)


def _presigned(request: HttpRequest) -> Claim | Denial:
    parameters = request.parameters()
    if "X-Amz-Signature" not in parameters:
        return Denial("MissingAuthenticationTokenException", "Missing Authentication Token")
    query = "&".join(pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature="))
    signed = tuple(parameters.get("X-Amz-SignedHeaders", "").split(";"))
    return Claim(
        parameters.get("X-Amz-Credential", ""),
        signed,
        parameters["X-Amz-Signature"],
        parameters.get("X-Amz-Date", ""),
        query,
        presigned=True,
    )


def denial_of(
    request: HttpRequest, service: str, access_key: str, secret_key: str, now: dt.datetime | None = None
) -> Denial | None:
    """Tell why a request's signature is not that of these credentials for this service, or nothing if it is."""
    claim = claim_of(request)
    if isinstance(claim, Denial):
        return claim
    named, *scope = claim.credential.split("/")
    if len(scope) != 4 or scope[3] != "aws4_request":
        return Denial(
            "InvalidSignatureException",
            "Credential should be scoped to a date, a region, a service and aws4_request.",
        )
    if named != access_key:
        return Denial("UnrecognizedClientException", "The security token included in the request is invalid.")
    if scope[2] != service:
        return Denial(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
        )
    return _stale(claim, scope, now or dt.datetime.now(dt.UTC)) or _wrong(
        request, claim, scope, access_key, secret_key
    )


def _stale(claim: Claim, scope: list[str], now: dt.datetime) -> Denial | None:
    try:
        signed_at = dt.datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return Denial("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
    if not claim.timestamp.startswith(scope[0]):
        return Denial(
            "InvalidSignatureException", "Date in Credential scope does not match the date of the request."
        )
    if signed_at < now - SKEW_MAX and not claim.presigned:
        return Denial(
            "InvalidSignatureException",
            f"Signature expired: {claim.timestamp} is now earlier than {now - SKEW_MAX:%Y%m%dT%H%M%SZ}.",
        )
    if signed_at > now + SKEW_MAX:
        return Denial(
            "InvalidSignatureException",
            f"Signature not yet current: {claim.timestamp} is still later than {now + SKEW_MAX:%Y%m%dT%H%M%SZ}.",
        )
    return None


def _wrong(
    request: HttpRequest, claim: Claim, scope: list[str], access_key: str, secret_key: str
) -> Denial | None:
    hashed = hashlib.sha256(request.body).hexdigest()
    said = request.headers.get("x-amz-content-sha256")
    if said not in (None, hashed, UNSIGNED):
        return Denial(
            "InvalidSignatureException", "The X-Amz-Content-Sha256 header is not the hash of the body."
        )
    if "host" not in claim.signed_headers:
        return Denial(
            "InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."
        )
    if any(name not in request.headers for name in claim.signed_headers):
        return Denial("InvalidSignatureException", "A header that was signed is not there.")
    signer = _Signer(secret_key, access_key, scope, claim, said or hashed)
    query = f"?{claim.query}" if claim.query else ""
    # What stands in a header came as bytes; the client signed them as UTF-8.
    headers = {
        name: value.encode("latin-1").decode(errors="replace") for name, value in request.headers.items()
    }
    signed = AWSRequest(
        request.method, f"http://{request.headers['host']}{request.path}{query}", headers, request.body
    )
    signed.context["timestamp"] = claim.timestamp
    expected = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    if hmac.compare_digest(expected, claim.signature):
        return None
    return Denial(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    )


def not_let_in(request: HttpRequest, options: Options, service: str) -> HttpReply | None:
    """Answer a request that is not signed as it should be; nothing if it is.

    Without credentials among the options any signature will do, but there has to be one.
    """
    if options.access_key and options.secret_key:
        denial = denial_of(request, service, options.access_key, options.secret_key)
    else:
        claim = claim_of(request)
        denial = claim if isinstance(claim, Denial) else None
    return error(403, denial.code, denial.message, request) if denial else None


def error(status: int, code: str, message: str, request: HttpRequest) -> HttpReply:
    """Tell an error as AWS's REST and JSON services do; SDKs make an exception of the code."""
    return json_reply(
        status, {"message": message}, {"x-amzn-ErrorType": code, "x-amzn-RequestId": request.id}
    )


def accepted(status: int, request: HttpRequest, body: bytes = b"") -> HttpReply:
    """Answer that all is well."""
    return HttpReply(status, body, {"Content-Type": "application/json", "x-amzn-RequestId": request.id})
