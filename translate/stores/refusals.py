"""What a store refuses, in our words: what is missing, and the way out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPMessage
from xml.etree import ElementTree as ET

ACTIONS = {
    "LIST": "s3:ListBucket",
    "GET": "s3:GetObject",
    "PUT": "s3:PutObject",
    "POST": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
AGAIN = "repeat the call: it resumes"
SENTENCES = {
    "NoSuchBucket": 'there is no bucket "{bucket}"; name another one, or the --endpoint-url where it is',
    "NoSuchKey": "there is no such object (any more)",
    "AccessDenied": "access denied: {who} may not {action} on {resource}; allow it, or say another --profile{said}",
    "AllAccessDisabled": "access denied: all access to this bucket is switched off",
    "AccountProblem": "the account of the bucket has a problem that only AWS support can tell{said}",
    "InvalidAccessKeyId": "the credentials are not known: their access key id does not exist; say another --profile",
    "SignatureDoesNotMatch": "the credentials are wrong: the secret key is not that of the access key id; say another --profile",
    "ExpiredToken": "the credentials have expired; sign in again, and " + AGAIN,
    "InvalidToken": "the credentials' session token is not valid; sign in again, and " + AGAIN,
    "RequestTimeTooSkewed": "this machine's clock differs from the store's by more than 15 minutes; set it, and " + AGAIN,
    "InvalidObjectState": "lies in an archive class (Glacier); restore it first, or leave it out",
    "PreconditionFailed": "was replaced by other bytes after it was listed; name a new --out to convert it as it is now",
    "SlowDown": "the store asks to slow down (throttled), also in the last of {attempts} attempts; wait a while, and " + AGAIN,
    "KMS.DisabledException": "its KMS key is switched off; switch it on, and " + AGAIN,
}  # fmt: skip
SENTENCES["RequestLimitExceeded"] = SENTENCES["Throttling"] = SENTENCES["SlowDown"]
SENTENCES["PermanentRedirect"] = SENTENCES["AuthorizationHeaderMalformed"] = SENTENCES[
    "IllegalLocationConstraintException"
] = 'wrong region: the bucket "{bucket}" is not in {region}{there}'
SENTENCES["TemporaryRedirect"] = SENTENCES["Redirect"] = SENTENCES["PermanentRedirect"]
OF_STATUS = {301: "PermanentRedirect", 302: "Redirect", 307: "TemporaryRedirect", 308: "Redirect", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed", 429: "SlowDown", 503: "SlowDown"}  # fmt: skip
OFTEN = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded", "OperationAborted"})  # fmt: skip
MEMBER = re.compile(r"^\{.*\}")
REGION = re.compile(r"(?:^|[./])s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com")


@dataclass(frozen=True)
class RefusedAnswer:
    """An answer that is a refusal, as the store spelled it."""

    status: int
    code: str
    message: str
    region: str
    elsewhere: str = ""  # where it says that it answers

    @property
    def is_passing(self) -> bool:
        """Tell whether the same call may succeed a moment later."""
        if self.status == HTTPStatus.NOT_IMPLEMENTED:
            return False
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status == HTTPStatus.TOO_MANY_REQUESTS or (
            self.code in OFTEN
        )  # fmt: skip


def fault_of(status: int, body: bytes, headers: HTTPMessage | Mapping[str, str]) -> RefusedAnswer:
    """Read a refusal; one that says nothing is told by its status, and one that names no region by the place that it names."""
    told: dict[str, str] = {}
    with contextlib.suppress(ET.ParseError):
        told = {MEMBER.sub("", member.tag): member.text or "" for member in ET.fromstring(body)}  # noqa: S314  a service's own answer
    code = told.get("Code") or OF_STATUS.get(status, f"HTTP {status}")
    elsewhere = told.get("Endpoint", "") or headers.get("Location", "")
    of_place = REGION.search(elsewhere)
    region = headers.get("x-amz-bucket-region") or told.get("Region", "") or (of_place[1] if of_place else "")
    return RefusedAnswer(status, code, told.get("Message", ""), region, elsewhere)


def told(
    fault: RefusedAnswer, verb: str, bucket: str, key: str, *, who: str, region: str, attempts: int
) -> str:
    """Say why a call was refused, and the way out."""
    action = ACTIONS[verb]
    resource = f"arn:aws:s3:::{bucket}" if verb == "LIST" else f"arn:aws:s3:::{bucket}/{key}"
    if fault.region:
        there = f" but in {fault.region}: say --region {fault.region}"
    elif fault.elsewhere:
        there = f", it says, but at {fault.elsewhere}: say --endpoint-url, or --region"
    else:
        there = f"; say --region (aws s3api get-bucket-location --bucket {bucket} tells which)"
    said = f" ({fault.message})" if len(fault.message) > len("Access Denied.") else ""
    sentence = SENTENCES.get(fault.code) or SENTENCES.get(
        OF_STATUS.get(fault.status, "") if not fault.message else ""
    )
    if sentence is None:
        return f"the store refuses to {action}: {fault.code} {fault.message}".rstrip()
    return sentence.format(
        bucket=bucket, action=action, resource=resource, there=there, region=region, said=said, attempts=attempts, who=who
    )  # fmt: skip
