"""Learning Context, version 3: a form of five fields, signed as the vendor's Java client signs it.

Facts (the client's sources, version 1.1, and two apps that used it): h = sha1(ue(data) + aid + ue(user) + ue(nonce) +
secret + sha1(password)), ue being Java's URLEncoder; success is `result` 1, as a number or a text; a refusal is `result`
0 with a `reason`. Which HTTP statuses version 3 uses for errors is written nowhere.
"""

from __future__ import annotations

import re
import secrets as randomness
import string
from dataclasses import replace
from urllib.parse import quote_plus

from translate.delivery.answers import Advice, Answer, Reply, halt, json_bytes, sort_refusal, told_by
from translate.delivery.endpoints import Outgoing, PooledEndpoint
from translate.delivery.secrets import (
    LEARNING_CONTEXT_PASSWORD,
    LEARNING_CONTEXT_PASSWORDS,
    LEARNING_CONTEXT_SECRET,
    MASK,
    sha1_hex,
)
from translate.mapping.replies import json_of
from translate.reader.shipments import Shipment

PATH = "/3/events/update"
NONCE_ALPHABET = string.digits + string.ascii_lowercase
NONCE_LENGTH = 55
IDENTITY = (
    f"check application_id (aid), account (user), {LEARNING_CONTEXT_SECRET} and {LEARNING_CONTEXT_PASSWORD}: "
    "the signature is made of them"
)
ADVICE = Advice(
    "Learning Context",
    {
        **dict.fromkeys((401, 403), IDENTITY),
        **dict.fromkeys((404, 405), f"the path of the endpoint is wrong: version 3 takes events at {PATH}"),
    },
)
MISSING = f"set {LEARNING_CONTEXT_SECRET} and {LEARNING_CONTEXT_PASSWORD} in the environment: requests are signed with them"
NOT_OURS = (
    "the next events were posted by another account than the one that is set, and nothing holds its password: put it into "
    f"{LEARNING_CONTEXT_PASSWORDS}, a JSON object of accounts and passwords, or give all events one account by a recipe (set.account)"
)
ABOUT_EVENTS = "Wrong data"  # one of the two reasons that clients of version 3 look for
# Words of a reason that speak of the sender, not of the events. A guess: the vendor's list of reasons is lost; taken
# wrongly it stops a run, while the other mistake would reject every event.
_ABOUT_SENDER = re.compile(
    r"(?i)auth|signature|\bhash\b|nonce|password|credential|permission|login|\baid\b|\bunknown (?:app|user)"
)


class LearningContext(PooledEndpoint):
    """The interface `events/update`, which adds events."""

    def _shown(self, shipment: Shipment, sequence: int) -> Outgoing:  # noqa: ARG002 - nothing here is numbered
        return self._request({**self._fields(shipment), "h": MASK})

    def _proven(self, shipment: Shipment, sequence: int) -> Outgoing | Answer:  # noqa: ARG002 - nothing here is numbered
        fields = self._fields(shipment)
        secret, password = self._secrets.get(LEARNING_CONTEXT_SECRET), self._password_of(fields["user"])
        if secret is None or password is None:
            is_ours = secret is None or fields["user"] == self._target.account
            return Answer.halted(len(shipment.events), "no_credentials", "", MISSING if is_ours else NOT_OURS)
        return self._request({**fields, "h": signature(fields, secret, password)})

    def _request(self, fields: dict[str, str]) -> Outgoing:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": self._target.user_agent}
        form = "&".join(f"{name}={form_encoded(text)}" for name, text in fields.items())
        return Outgoing("POST", self._target.url(PATH), headers, form.encode())

    def _password_of(self, account: str) -> str | None:
        own = self._secrets.get(LEARNING_CONTEXT_PASSWORD) if account == self._target.account else None
        return self._secrets.password_of(account) or own

    def _fields(self, shipment: Shipment) -> dict[str, str]:
        nonce = "".join(randomness.choice(NONCE_ALPHABET) for _ in range(NONCE_LENGTH))
        data = json_bytes(shipment.request["data"]).decode()
        user = shipment.request.get("user")
        account = (self._target.account or "") if user is None else str(user)
        return {"nonce": nonce, "aid": self._target.application_id or "", "user": account, "data": data}

    def _sorted(self, reply: Reply, shipment: Shipment) -> Answer:
        """Sort an answer; `result` 1 means that the events were taken."""
        told, found, count = told_by(reply), json_of(reply.body), len(shipment.events)
        success = 200 <= told.status < 300
        result = found.get("result") if isinstance(found, dict) else None
        if success and result in (1, "1") and result is not True:
            return Answer.all_sent(count, status=told.status, request_id=told.request_id)
        if isinstance(found, dict) and "reason" in found:
            told = replace(told, code=told.code or "result_0", message=str(found["reason"]))
        if not success:
            return sort_refusal(told, count, ADVICE)
        if result not in (0, "0") or result is False:
            none = "the answer is none of Learning Context (no result): check the endpoint and its path"
            return halt(told, count, none)
        if _ABOUT_SENDER.search(told.message) and not told.message.startswith(ABOUT_EVENTS):
            return halt(told, count, f"Learning Context refused the sender ({told.message}): {IDENTITY}")
        return Answer.all_refused(count, told.code or "result_0", told.message, **told.rest())


def signature(fields: dict[str, str], secret: str, password: str) -> str:
    """Give `h` of a form (nonce, aid, user, data)."""
    data, user, nonce = (form_encoded(fields[name]) for name in ("data", "user", "nonce"))
    return sha1_hex(data + fields["aid"] + user + nonce + secret + sha1_hex(password))


def form_encoded(text: str) -> str:
    """Encode as Java's URLEncoder does: `*` stays, `~` does not, a blank is `+`."""
    return quote_plus(text, safe="*").replace("~", "%7E")
