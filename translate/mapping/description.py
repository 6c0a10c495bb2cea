"""The table [delivery.http] of a mapping is read: what is wrong in it, what has no effect, and what contradicts itself."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from translate.errors import UsageError
from translate.mapping import keys
from translate.mapping.replies import AnswersReader, ServiceAnswer
from translate.mapping.sending import Authentication, Parameter, Sending
from translate.mapping.sheet import Sheet, Table, join

if TYPE_CHECKING:
    from translate.mapping.spec import Layout

METHODS = ("POST", "PUT")
OF_RECEIVER = ("application_id", "account", "region")
# What the sender writes itself, or what proves who sends.
OWN_HEADERS = {
    "content-length": "the sender writes it",
    "content-encoding": "gzip = true writes it",
    "host": "the address says it",
    "user-agent": "the setting user_agent says it",
    "authorization": "secrets come from the environment: say [delivery.http.authentication]",
    "cookie": "secrets come from the environment: say [delivery.http.authentication]",
}
_VARIABLE_PART = re.compile(r"[A-Z0-9_]+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Which of its other keys a kind of authentication has, and which of them it has to have.
_OF_KINDS = {
    "basic": (("user", "secret"), ("user",)),
    "header": (("name", "before", "secret"), ("secret",)),
    "member": (("name", "secret"), ("name", "secret")),
    "query": (("name", "secret"), ("name", "secret")),
}
_PATH = "delivery.http"


def read_sending(sheet: Sheet, table: Table, layout: Layout | None) -> Sending:
    """Read the table; complain to the sheet."""
    return _SendingParser(sheet, layout).sending(table)


class _SendingParser:
    """Walks the table of one mapping."""

    def __init__(self, sheet: Sheet, layout: Layout | None) -> None:
        self.sheet = sheet
        self.request = layout.request if layout else None
        fields = self.request.fields if self.request else ()
        self.layout = layout
        self.written = tuple(entry.place for entry in fields if not entry.word.is_left_out)

    def sending(self, table: Table) -> Sending:
        sheet = self.sheet
        sheet.known_keys(table, _PATH, keys.HTTP)
        method: str = sheet.choice(table, _PATH, "method", "method", METHODS, "POST")
        body: str = sheet.need(table, _PATH, "body", str, "json")
        if sheet.one_of(body, f"{_PATH}.body", "body", keys.BODIES) and body == "ndjson" and self.written:
            told = f'"ndjson" sends events alone, and "{self.written[0]}" stands beside them'
            sheet.complain(f"{_PATH}.body", told)
        query = self.parameters(table, "query")
        headers = self.parameters(table, "headers")
        for header in headers:
            self.header(header.name, header.text, join(f"{_PATH}.headers", header.name))
        reader = AnswersReader(sheet, self.layout)
        answers = reader.answers(sheet.need(table, _PATH, "answers", dict, {}))
        way = sheet.get(table, _PATH, "authentication", dict)
        sending = Sending(
            self.addresses(sheet.need(table, _PATH, "addresses", dict, None)), self.request.each if self.request else (),
            method, query, headers, body, sheet.get(table, _PATH, "form", str), sheet.get(table, _PATH, "gzip", bool, default=False),
            None if way is None else self.authentication(way, body, answers), answers, sheet.need(table, _PATH, "source", str, ""),
        )  # fmt: skip
        self.twice(sending)
        if isinstance(table.get("answers"), dict):
            reader.endless(sending)
        reader.played(sending)
        return sending

    def addresses(self, table: Table | None) -> dict[str, str]:
        path = f"{_PATH}.addresses"
        if table == {}:
            self.sheet.complain(path, "names nothing")
        found, ways = {}, set()
        for region, address in (table or {}).items():
            if not isinstance(address, str):
                self.sheet.complain(join(path, region), f"should be text, but is {address!r}")
                continue
            try:
                parts = split_endpoint(address)
            except UsageError:
                told = "should be https://HOST/PATH, without user, query and fragment"
                self.sheet.complain(join(path, region), told)
                continue
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                self.sheet.complain(join(path, region), "should begin with https://")
            ways.add(parts.path)
            found[region] = address
        if len(ways) > 1:
            self.sheet.complain(path, f"has several paths: {', '.join(sorted(ways))}")
        return found

    def parameters(self, table: Table, key: str) -> tuple[Parameter, ...]:
        path, found = f"{_PATH}.{key}", []
        for name, value in self.sheet.get(table, _PATH, key, dict, {}).items():
            here = join(path, name)
            if isinstance(value, str):
                found.append(Parameter(name, value))
            elif isinstance(value, dict):
                self.sheet.known_keys(value, here, keys.PARAMETER)
                setting = self.sheet.need(value, here, "setting", str, "")
                if isinstance(value.get("setting"), str):
                    self.sheet.one_of(setting, join(here, "setting"), "setting of the receiver", OF_RECEIVER)
                needed = self.sheet.get(value, here, "needed", bool, default=False)
                found.append(Parameter(name, setting=setting, needed=needed))
            else:
                self.sheet.complain(here, f"should be text, or a table of setting, but is {value!r}")
        return tuple(found)

    def header(self, name: str, text: str, path: str) -> None:
        if not _HEADER.fullmatch(name) or not fits_header(text):
            self.sheet.complain(path, "cannot be an HTTP header")
        elif name.lower() in OWN_HEADERS:
            self.sheet.complain(path, OWN_HEADERS[name.lower()])

    def authentication(
        self, table: Table, body: str, answers: dict[str, ServiceAnswer]
    ) -> Authentication | None:
        sheet, path = self.sheet, f"{_PATH}.authentication"
        sheet.known_keys(table, path, keys.AUTHENTICATION)
        kind = sheet.need(table, path, "kind", str, "")
        if not isinstance(table.get("kind"), str) or not sheet.one_of(
            kind, f"{path}.kind", "kind of authentication", keys.KINDS_OF_AUTHENTICATION
        ):
            return None
        may, must = _OF_KINDS[kind]
        for key in ("name", "before", "user", "secret"):
            if key in table and key not in may:
                sheet.complain(f"{path}.{key}", f'has no effect: "{kind}" has no such key')
        said = {key: (sheet.need if key in must else sheet.get)(table, path, key, str, "") for key in may}
        for key in ("user", "secret"):
            if said.get(key) and not self.is_own(said[key]):
                wanted = f"the name of an environment variable, {self.prefix}..."
                sheet.complain(f"{path}.{key}", f"should be {wanted}, but is {said[key]!r}")
        if kind == "header":
            said["name"] = said["name"] or "Authorization"
            if not _HEADER.fullmatch(said["name"]) or not fits_header(f"{said['before']}x"):
                sheet.complain(path, "cannot be an HTTP header")
        if kind == "member":
            self.member(said["name"], f"{path}.name", body)
        answer = sheet.get(table, path, "answer", str, "")
        is_known = answer and sheet.one_of(answer, f"{path}.answer", "answer", answers)
        if is_known and answers[answer].means != "stop":
            told = f'"{answer}" does not mean stop: whoever is not let in would send for ever'
            sheet.complain(f"{path}.answer", told)
        return Authentication(kind, answer=answer, **said)

    @property
    def prefix(self) -> str:
        """Give how the variables of the model begin: no sheet can ask for the secrets of anything else."""
        return f"TRANSLATE_{re.sub('[^A-Z0-9]', '_', self.sheet.path.stem.upper())}_"

    def is_own(self, variable: str) -> bool:
        part = variable.removeprefix(self.prefix)
        return part != variable and _VARIABLE_PART.fullmatch(part) is not None

    def member(self, name: str, path: str, body: str) -> None:
        heads = {place.partition(".")[0] for place in self.written}
        if body == "ndjson":
            self.sheet.complain(path, "has no place: ndjson sends events alone")
        elif self.request and not self.request.each:
            self.sheet.complain(path, "has no place: the request is the list of its events")
        elif self.request and name in {*heads, self.request.each[0]}:
            self.sheet.complain(path, f'something else lies at "{name}"')

    # -- what contradicts itself -----------------------------------------------------------------------------------

    def twice(self, sending: Sending) -> None:
        """Complain where the secret would stand where something stands already."""
        way = sending.authentication
        others: Iterable[Parameter] = (
            {"header": sending.headers, "query": sending.query}.get(way.kind, ()) if way else ()
        )
        if way and any(way.name.lower() == other.name.lower() for other in others):
            self.sheet.complain(f"{_PATH}.authentication.name", f'something else lies at "{way.name}"')


# -- what an address and a header can be ------------------------------------------------------------------------------


def fits_header(text: str) -> bool:
    """Say whether a text can be an HTTP header's value: Latin-1, no control characters, no blanks around it."""
    try:
        return all(byte >= 0x20 and byte != 0x7F for byte in text.encode("latin-1")) and text == text.strip()
    except UnicodeEncodeError:
        return False


def split_endpoint(url: str) -> SplitResult:
    """Take an endpoint's URL apart; UsageError, which never repeats the URL, if it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("the endpoint is not a URL: write it as https://host or https://host/path")
    if parts.username is not None or parts.password is not None:
        what = "holds a user or password: secrets come from the environment only; remove them"
        raise UsageError(f"the endpoint {what}")
    if parts.query or parts.fragment:
        raise UsageError("the endpoint holds a query or a fragment: give scheme, host and path only")
    return parts


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, by its name or address (no look-up)."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
