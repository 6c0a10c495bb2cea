"""Judges JSON values by botocore's own service models: types, required members, lengths both ways, patterns.

Botocore itself checks no maximum and no pattern before it sends, so that a client learns of them from the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import botocore.session
from botocore.model import Shape

from translate.rehearsal.messages import is_number, is_whole


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
        for position, content in enumerate(value, 1):
            fault = member(content, f"{path}.{position}.member.")
            if fault:
                return fault
        return length(len(value), path)

    return check


def _map(member: Check) -> Check:
    def check(value: Any, path: str) -> Fault | None:
        if not isinstance(value, dict):
            return _mistyped(path, "Map")
        for key, content in value.items():
            fault = member(content, f"{path}.{key}.")
            if fault:
                return fault
        return None

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
    place = path.rstrip(".")
    return Fault(
        typed=False,
        message=f"1 validation error detected: Value at '{place}' failed to satisfy constraint: {constraint}",
    )
