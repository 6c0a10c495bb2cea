"""The Learning Context API, version 3: a signed form post of events; `result` 1 or 0 says what became of them.

Sources: its page on `events/update`, and its Java client for the form, the signature and the doubled slash. The HTTP
status of its errors is not known: refused contents come with 200 here, a wrong signature with 403, as in versions 2 and 4.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from translate.rehearsal.messages import (
    KEPT_BYTES_MAX,
    HttpReply,
    HttpRequest,
    Item,
    Judgement,
    Unreadable,
    is_whole,
    json_reply,
    parsed,
)
from translate.rehearsal.options import Options

VERSION = 3
PATH = re.compile(r"/+3/+events/+update/*")
FIELDS = ("nonce", "aid", "user", "data", "h")
ACTIONS = ("START", "UPDATE", "END")
SESSION_CHARACTERS = range(8, 21)
NO_JSON = object()


def judge(request: HttpRequest, options: Options) -> Judgement:
    """Answer one call."""
    if request.method != "POST":
        return Judgement(failure(405, "Wrong method"))
    if request.bytes > KEPT_BYTES_MAX:  # no limit of its own is known
        return Judgement(failure(413, "Too much data"))
    form = _form(request.body)
    absent = [name for name in FIELDS if name not in form]
    if absent:
        return Judgement(failure(403, f"Authentication failed: no {', '.join(absent)}"))
    data = _data(form["data"])
    events = [] if data is NO_JSON else data if isinstance(data, list) else [data]
    items = [Item(form["aid"], None, event, {"user": form["user"]}) for event in events]
    if not _let_in(form, options):
        return Judgement(failure(403, "Authentication failed"), deferred=len(items))
    reason = _data_fault(data)
    if reason:
        return Judgement.refused(failure(200, reason), items, "result 0", reason)
    return Judgement(json_reply(200, {"APIVersion": VERSION, "result": 1}), items)


def failure(status: int, reason: str) -> HttpReply:
    """Tell an error as the API does."""
    return json_reply(status, {"APIVersion": VERSION, "result": 0, "reason": reason})


def signature(form: dict[str, str], secret: str, password: str) -> str:
    """Compute the `h` of version 3: lower-case hexadecimal digits of SHA-1."""
    hashed = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()
    text = f"{_encoded(form['data'])}{form['aid']}{_encoded(form['user'])}{_encoded(form['nonce'])}{secret}{hashed}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _encoded(text: str) -> str:
    """Encode for a form as the vendor's Java client does: `*` stays, `~` does not."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:  # neither ASCII nor UTF-8
        return {}


def _data(text: str) -> Any:
    try:
        return parsed(text)
    except Unreadable:
        return NO_JSON


def _let_in(form: dict[str, str], options: Options) -> bool:
    aid, user = form["aid"], form["user"]
    if (options.applications and aid not in options.applications) or (
        options.accounts and user not in options.accounts
    ):
        return False
    if not (options.applications and options.accounts):
        return True
    expected = signature(form, options.applications[aid], options.accounts[user])
    return hmac.compare_digest(expected.encode(), form["h"].encode())


def _data_fault(events: Any) -> str | None:
    if events is NO_JSON:
        return "Wrong data: no JSON"
    if not isinstance(events, list):
        return "Wrong data: no array"
    for position, event in enumerate(events):
        reason = _event_fault(event)
        if reason:
            return f"Wrong data: event {position}: {reason}"
    return None


def _event_fault(event: Any) -> str | None:
    if not isinstance(event, dict):
        return "no object"
    if event.get("action") not in ACTIONS:
        return "action is START, UPDATE or END"
    if not (isinstance(event.get("type"), str) and event["type"]):
        return "no type"
    if not is_whole(event.get("timestamp")):
        return "timestamp is whole seconds"
    return _session_fault(event) or _entities_fault(event.get("entities"))


def _session_fault(event: dict[str, Any]) -> str | None:
    # The Java client says "" where there is no session.
    session = event.get("session") or ""
    if not isinstance(session, str) or (session and len(session) not in SESSION_CHARACTERS):
        return "session has 8 to 20 characters"
    if event["action"] == "END" and not session:
        return "END without a session"
    return None


def _entities_fault(entities: Any) -> str | None:
    if not isinstance(entities, list):
        return "entities is an array"
    if not all(isinstance(entity, dict) and isinstance(entity.get("key"), str) for entity in entities):
        return "an entity has a key, which is a text"
    return None
