"""What calls take as arguments: by name, the same in every call, and refused in words where it is of another kind."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from translate.errors import UsageError, suggest
from translate.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class KindOfArgument:
    """One kind of argument: how it is told, and what belongs to it."""

    told: str
    takes: Callable[[Any], bool]


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_several(value: Any, one: Callable[[Any], bool]) -> bool:
    is_list = isinstance(value, Sequence | set | frozenset) or hasattr(value, "__next__")
    return is_list and not isinstance(value, bytes) and (hasattr(value, "__next__") or all(map(one, value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


PATH = KindOfArgument("a path", _is_path)
PATHS = KindOfArgument(
    "a path, or a list of paths", lambda value: _is_path(value) or _is_several(value, _is_path)
)
TEXT = KindOfArgument("text", lambda value: isinstance(value, str))
TEXTS = KindOfArgument(
    "a list of texts", lambda value: isinstance(value, str) or _is_several(value, TEXT.takes)
)
SQL = KindOfArgument("an SQL expression as text", TEXT.takes)
MOMENT = KindOfArgument("a date, a time, or text of one", lambda value: isinstance(value, str | dt.date))
FLAG = KindOfArgument("True or False", lambda value: isinstance(value, bool))
CENSUS = KindOfArgument('True, False or "verify"', lambda value: isinstance(value, bool) or value == "verify")
WHOLE = KindOfArgument("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NUMBER = KindOfArgument("a number", _is_number)
SETTINGS = KindOfArgument(
    "a path of a TOML file, a dict or Settings",
    lambda value: _is_path(value) or isinstance(value, Settings | Mapping),
)
IDS = KindOfArgument(
    "a path of a list of ids, or a list of ids",
    lambda value: _is_path(value) or _is_several(value, TEXT.takes),
)
SIZE = KindOfArgument(
    "a number of bytes, or text like 64MB", lambda value: WHOLE.takes(value) or TEXT.takes(value)
)
FRAME = KindOfArgument("a frame of polars", lambda value: type(value).__name__ in ("DataFrame", "LazyFrame"))

KINDS: dict[str, KindOfArgument] = {
    **dict.fromkeys(("source", "folder"), PATHS),
    **dict.fromkeys(("target", "out", "recipe", "mappings", "journal", "report", "file", "state", "rejects", "record", "journal_folder"), PATH),
    **dict.fromkeys(("to", "from_", "as_", "via", "model", "compression", "endpoint", "rate", "id_", "sse", "sse_kms_key_id"), TEXT),
    **dict.fromkeys(("set_", "add", "accept"), TEXTS),
    **dict.fromkeys(("since", "until"), MOMENT),
    **dict.fromkeys(("dedupe", "fold", "examples", "careful", "dry_run", "allow_http", "lake", "sort"), FLAG),
    **dict.fromkeys(("limit", "max_in_flight", "seed", "workers"), WHOLE),
    "erase": IDS, "census": CENSUS, "speedup": NUMBER, "trust_folders": NUMBER, "where": SQL, "settings": SETTINGS, "frame": FRAME, "part_size": SIZE,
    "dossier.recipe": PATHS,  # several runs, each with its own
}  # fmt: skip
WAYS_OUT = {
    "set_": "; a dict of settings is given as settings={...}",
    "where": "; a polars expression filters the frame of scan(): scan(...).filter(...)",
    **dict.fromkeys(
        ("to", "from_"),
        "; name a model, or a model and its layout, MODEL/LAYOUT; translate.models() lists them",
    ),
}


def checked(call: Callable[P, R]) -> Callable[P, R]:
    """Make a call that refuses arguments of another kind by UsageError, and names of none with the nearest that there is."""
    signature = inspect.signature(call)
    optional = {name for name, parameter in signature.parameters.items() if parameter.default is None}

    @functools.wraps(call)
    def refusing(*given: P.args, **named: P.kwargs) -> R:
        unknown = next((name for name in named if name not in signature.parameters), None)
        if unknown is not None:
            raise TypeError(
                f'{call.__name__}() has no argument "{unknown}"{_meant(unknown, signature.parameters)}'
            )
        for name, value in _bound(signature, call.__name__, given, named).items():
            kind = KINDS.get(f"{call.__name__}.{name}", KINDS.get(name))
            if kind is None or (value is None and name in optional) or kind.takes(value):
                continue
            first, *more = repr(value).splitlines()
            shown = f"{first[:SHOWN_CHARACTERS]}..." if more or len(first) > SHOWN_CHARACTERS else first
            raise UsageError(
                f"{call.__name__}: {name} should be {kind.told}, but is {shown} ({type(value).__name__}){WAYS_OUT.get(name, '')}"
            )
        return call(*given, **named)

    return refusing


def _bound(
    signature: inspect.Signature, name: str, given: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    """Give the arguments by their names; raise TypeError that shows how the call is written."""
    try:
        return signature.bind(*given, **named).arguments
    except TypeError as error:
        needed = [
            parameter.name if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else f"{parameter.name}=..."
            for parameter in signature.parameters.values()
            if parameter.default is parameter.empty
        ]
        raise TypeError(f"{name}(): {error}; write {name}({', '.join(needed)})") from None


def _meant(unknown: str, known: Mapping[str, Any]) -> str:
    """Give the argument that was meant; those of Python's own words end in an underscore."""
    return f'; did you mean "{unknown}_"?' if f"{unknown}_" in known else suggest(unknown, known)
