"""What AWS's services share: who is let in, how errors are told, and what botocore's own service models say of JSON values.

Signature Version 4 is verified: recomputed by botocore over the headers that the client says it signed. Values are judged
by types, required members, lengths both ways, patterns: botocore itself checks no maximum and no pattern before it sends,
so that a client learns of them from the service.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.model import Shape

from translate.rehearsal.messages import HttpReply, HttpRequest, is_number, is_whole, json_reply
from translate.rehearsal.options import Options

ALGORITHM = "AWS4-HMAC-SHA256"
CLAIM = r" +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)$"
AUTHORIZATION = re.compile(ALGORITHM + CLAIM)
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

    def __init__(self, keys: Credentials, scope: list[str], claim: Claim, payload_hash: str) -> None:
        super().__init__(keys, scope[2], scope[1])
        self._claim, self._payload_hash = claim, payload_hash

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers = HTTPHeaders()
        for name in self._claim.signed_headers:
            headers[name] = request.headers.get(name, "")
        return headers

    def payload(self, request: AWSRequest) -> str:
        del request
        return self._payload_hash


def _invalid(message: str) -> Denial:
    return Denial("InvalidSignatureException", message)


def claim_of(request: HttpRequest) -> Claim | Denial:
    """Read what a request says about its signature, from its Authorization header or its query."""
    header = request.headers.get("authorization")
    if header is None:
        return _presigned(request)
    match = AUTHORIZATION.match(header)
    if not match:
        said = "Authorization header requires Credential, SignedHeaders and Signature."
        return Denial("IncompleteSignatureException", said)
    stamp = request.headers.get("x-amz-date") or ""
    return Claim(match[1], tuple(match[2].split(";")), match[3], stamp, request.query, presigned=False)


def _presigned(request: HttpRequest) -> Claim | Denial:
    parameters = request.parameters()
    if "X-Amz-Signature" not in parameters:
        return Denial("MissingAuthenticationTokenException", "Missing Authentication Token")
    query = "&".join(pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature="))
    signed = tuple(parameters.get("X-Amz-SignedHeaders", "").split(";"))
    credential, stamp = parameters.get("X-Amz-Credential", ""), parameters.get("X-Amz-Date", "")
    return Claim(credential, signed, parameters["X-Amz-Signature"], stamp, query, presigned=True)


def denial_of(
    request: HttpRequest, service: str, access_key: str, secret_key: str, now: dt.datetime | None = None
) -> Denial | None:
    """Tell why a request's signature is not that of these credentials for this service, or nothing if it is."""
    claim = claim_of(request)
    if isinstance(claim, Denial):
        return claim
    named, *scope = claim.credential.split("/")
    if len(scope) != 4 or scope[3] != "aws4_request":
        return _invalid("Credential should be scoped to a date, a region, a service and aws4_request.")
    if named != access_key:
        return Denial("UnrecognizedClientException", "The security token included in the request is invalid.")
    if scope[2] != service:
        return _invalid(f"Credential should be scoped to correct service: '{service}'.")
    stale = _stale(claim, scope, now or dt.datetime.now(dt.UTC))
    return stale or _wrong(request, claim, scope, Credentials(access_key, secret_key))


def _stale(claim: Claim, scope: list[str], now: dt.datetime) -> Denial | None:
    try:
        signed_at = dt.datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return Denial("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
    if not claim.timestamp.startswith(scope[0]):
        return _invalid("Date in Credential scope does not match the date of the request.")
    if signed_at < now - SKEW_MAX and not claim.presigned:
        earliest = f"{now - SKEW_MAX:%Y%m%dT%H%M%SZ}"
        return _invalid(f"Signature expired: {claim.timestamp} is now earlier than {earliest}.")
    if signed_at > now + SKEW_MAX:
        latest = f"{now + SKEW_MAX:%Y%m%dT%H%M%SZ}"
        return _invalid(f"Signature not yet current: {claim.timestamp} is still later than {latest}.")
    return None


def _wrong(request: HttpRequest, claim: Claim, scope: list[str], keys: Credentials) -> Denial | None:
    hashed = hashlib.sha256(request.body).hexdigest()
    said = request.headers.get("x-amz-content-sha256")
    if said not in (None, hashed, UNSIGNED):
        return _invalid("The X-Amz-Content-Sha256 header is not the hash of the body.")
    if "host" not in claim.signed_headers:
        return _invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if any(name not in request.headers for name in claim.signed_headers):
        return _invalid("A header that was signed is not there.")
    signer = _Signer(keys, scope, claim, said or hashed)
    query = f"?{claim.query}" if claim.query else ""
    # What stands in a header came as bytes; the client signed them as UTF-8.
    told = {name: text.encode("latin-1").decode(errors="replace") for name, text in request.headers.items()}
    url = f"http://{request.headers['host']}{request.path}{query}"
    signed = AWSRequest(request.method, url, told, request.body)
    signed.context["timestamp"] = claim.timestamp
    expected = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    if hmac.compare_digest(expected, claim.signature):
        return None
    return _invalid("The request signature we calculated does not match the signature you provided.")


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
    headers = {"x-amzn-ErrorType": code, "x-amzn-RequestId": request.id}
    return json_reply(status, {"message": message}, headers)


def accepted(status: int, request: HttpRequest) -> HttpReply:
    """Answer that all is well."""
    return HttpReply(status, b"", {"Content-Type": "application/json", "x-amzn-RequestId": request.id})


# -- what the models say --------------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """What is wrong with a value: of the wrong type (`typed`), or against a constraint."""

    typed: bool
    message: str


Check = Callable[[Any, str], Fault | None]
SCALARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("String", lambda value: isinstance(value, str)),
    "integer": ("Integer", is_whole),
    "long": ("Long", is_whole),
    "float": ("Float", is_number),
    "double": ("Double", is_number),
    "boolean": ("Boolean", lambda value: isinstance(value, bool)),
    "timestamp": ("Timestamp", is_number),  # in bodies of this protocol: Unix seconds
}


@cache
def check_of(service: str, shape: str, *, required: bool = True) -> Check:
    """Make the check of a shape of a service's model; without `required`, absent members are none of its business."""
    model = botocore.session.get_session().get_service_model(service)
    return _compiled(model.shape_for(shape), required=required)


def _compiled(shape: Shape, *, required: bool) -> Check:
    if shape.type_name == "structure":
        return _structure(shape, required=required)
    if shape.type_name == "list":
        return _list(shape, _compiled(shape.member, required=required))
    if shape.type_name == "map":
        return _map(_compiled(shape.value, required=required))
    return _scalar(shape)


def _structure(shape: Shape, *, required: bool) -> Check:
    members = {name: _compiled(member, required=required) for name, member in shape.members.items()}
    needed = tuple(shape.required_members) if required else ()

    def check(value: Any, path: str) -> Fault | None:
        if not isinstance(value, dict):
            return _mistyped(path, "Structure")
        for name in needed:
            if value.get(name) is None:
                return _against(f"{path}{name}", "Member must not be null")
        for name, content in value.items():
            member = members.get(name)
            # A null is an absent member; one that the model does not know is let pass, as the services do.
            fault = member(content, f"{path}{name}") if member and content is not None else None
            if fault:
                return fault
        return None

    return check


def _list(shape: Shape, member: Check) -> Check:
    length = _lengths(shape)

    def check(value: Any, path: str) -> Fault | None:
        if not isinstance(value, list):
            return _mistyped(path, "List")
        faults = (member(content, f"{path}.{position}.member.") for position, content in enumerate(value, 1))
        return next(filter(None, faults), None) or length(len(value), path)

    return check


def _map(member: Check) -> Check:
    def check(value: Any, path: str) -> Fault | None:
        if not isinstance(value, dict):
            return _mistyped(path, "Map")
        faults = (member(content, f"{path}.{key}.") for key, content in value.items())
        return next(filter(None, faults), None)

    return check


def _scalar(shape: Shape) -> Check:
    name, fits = SCALARS[shape.type_name]
    length = _lengths(shape)
    pattern = re.compile(shape.metadata["pattern"]) if "pattern" in shape.metadata else None

    def check(value: Any, path: str) -> Fault | None:
        if not fits(value):
            return _mistyped(path, name)
        if not isinstance(value, str):
            return None
        if pattern and not pattern.fullmatch(value):
            return _against(path, f"Member must satisfy regular expression pattern: {pattern.pattern}")
        return length(len(value), path)

    return check


def _lengths(shape: Shape) -> Callable[[int, str], Fault | None]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")

    def check(length: int, path: str) -> Fault | None:
        if length < low:
            return _against(path, f"Member must have length greater than or equal to {low}")
        if high is not None and length > high:
            return _against(path, f"Member must have length less than or equal to {high}")
        return None

    return check


def _mistyped(path: str, name: str) -> Fault:
    return Fault(typed=True, message=f"the value at '{path.rstrip('.')}' can not be converted to a {name}")


def _against(path: str, constraint: str) -> Fault:
    said = f"Value at '{path.rstrip('.')}' failed to satisfy constraint: {constraint}"
    return Fault(typed=False, message=f"1 validation error detected: {said}")
