"""Stores of objects that are no disks: who asks, signed how and over what (`access`), what a `bucket` answers or refuses, and files on their way there and back (`transfers`)."""

from __future__ import annotations

from typing import Any, NamedTuple

OF_ONE_OBJECT = frozenset({"NoSuchKey", "AccessDenied", "InvalidObjectState"})

said: dict[str, Any] = {}


def say(**given: Any) -> None:
    """Say who asks from now on: `profile`, `region`, `endpoint_url`, `request_payer`, `sign_requests`."""
    said.update(given)


class Listed(NamedTuple):
    """One object of a list."""

    key: str
    bytes: int
    tag: str


class StoreRefusedError(Exception):
    """A store refused a call, or could not be reached; the text says what, and the way out."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)

    def __reduce__(self) -> tuple[type[StoreRefusedError], tuple[str, str]]:
        """Copy it with its code: it may be told by one process to another."""
        return StoreRefusedError, (self.code, str(self))

    @property
    def is_of_one_object(self) -> bool:
        """Tell whether other objects can be read all the same."""
        return self.code in OF_ONE_OBJECT
