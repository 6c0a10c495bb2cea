"""The host names that a rehearsal answers to: those by which this machine calls itself.

A page in a browser can have its own name lead to 127.0.0.1 (DNS rebinding) and then read what a rehearsal holds, or write
into it: its requests carry that name in `Host`, and nothing else tells them from a client's.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from translate.rehearsal.messages import Reply, json_reply

HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]+))(?::[0-9]*)?")
MISDIRECTED = 421
MESSAGE = (
    "a rehearsal answers to 127.0.0.1, localhost and [::1], and Host says another name: use the address that it printed, "
    "or start it with --expose if others may reach it"
)


def is_own(host: str | None) -> bool:
    """Tell whether a `Host` names this machine itself; who sends none, an old or bare client, is no browser."""
    if host is None:
        return True
    found = HOST.fullmatch(host)
    name = (found["v6"] or found["name"] or "") if found else ""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def misdirected() -> Reply:
    """Refuse a request that was meant for another host."""
    return json_reply(MISDIRECTED, {"message": MESSAGE})
