"""What calls take as arguments: by name, the same in every call, and refused in words where it is of another kind."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from translate.errors import CallError, suggest

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=type)
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class KindOfArgument:
    """One kind of argument: how it is told, and what belongs to it."""

    told: str
    takes: Callable[[Any], bool]


def _is_path(value: Any) -> bool:
    try:
        return isinstance(value, str | os.PathLike) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def _is_several(value: Any, one: Callable[[Any], bool]) -> bool:
    is_list = isinstance(value, Sequence | set | frozenset) or hasattr(value, "__next__")
    return is_list and not isinstance(value, bytes) and (hasattr(value, "__next__") or all(map(one, value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


Kinds = Mapping[str, KindOfArgument | None]
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
CENSUS = KindOfArgument(
    'True, False or "verify"',
    lambda value: isinstance(value, bool) or (isinstance(value, str) and value == "verify"),
)
WHOLE = KindOfArgument("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NUMBER = KindOfArgument("a number", _is_number)
SETTINGS = KindOfArgument(
    "a path of a TOML file, a dict or Settings",
    lambda value: _is_path(value) or isinstance(value, Mapping) or type(value).__name__ == "Settings",
)
IDS = KindOfArgument(
    "a path of a list of ids, or a list of ids",
    lambda value: _is_path(value) or _is_several(value, TEXT.takes),
)
SIZE = KindOfArgument(
    "a number of bytes, or text like 64MB", lambda value: WHOLE.takes(value) or TEXT.takes(value)
)
FRAME = KindOfArgument(
    "a frame of polars",
    lambda value: any(
        kind.__name__ in ("DataFrame", "LazyFrame") and kind.__module__.startswith("polars.")
        for kind in type(value).__mro__
    ),
)
EVENTS = KindOfArgument("a frame of hub events, as translate.scan gives it", FRAME.takes)
CALL = KindOfArgument("a function", callable)
NAMES = KindOfArgument(
    "the name of a column, or a list of names",
    lambda value: (
        isinstance(value, str | Sequence)
        and _is_several([value] if isinstance(value, str) else value, TEXT.takes)
    ),
)
NUMBERS = KindOfArgument(
    "a number of such spans, or several as [1, 7, 30]",
    lambda value: WHOLE.takes(value) or _is_several(value, WHOLE.takes),
)

KINDS: dict[str, KindOfArgument] = {
    **dict.fromkeys(("source", "folder"), PATHS),
    **dict.fromkeys(("target", "out", "recipe", "mappings", "journal", "report", "file", "state", "rejects", "record", "journal_folder"), PATH),
    **dict.fromkeys(("to", "from_", "as_", "via", "model", "compression", "endpoint", "rate", "id_", "sse", "sse_kms_key_id"), TEXT),
    **dict.fromkeys(("set_", "add", "accept"), TEXTS),
    **dict.fromkeys(("since", "until"), MOMENT),
    **dict.fromkeys(("dedupe", "fold", "examples", "careful", "dry_run", "allow_http", "lake", "sort"), FLAG),
    **dict.fromkeys(("limit", "max_in_flight", "seed", "workers"), WHOLE),
    **dict.fromkeys(("progress", "converting", "tell", "interrupted", "unheard"), CALL),
    **dict.fromkeys(("period", "seen"), TEXT),
    **dict.fromkeys(("parity.erase", "dossier.erase", "write_html.path"), PATH),
    "events": EVENTS, "who": NAMES, "by": NAMES, "after": NUMBERS,
    "erase": IDS, "census": CENSUS, "speedup": NUMBER, "trust_folders": NUMBER, "where": SQL, "settings": SETTINGS, "frame": FRAME, "part_size": SIZE,
    "dossier.recipe": PATHS,  # several runs, each with its own
}  # fmt: skip
WAYS_OUT = {
    "set_": "; a dict of settings is given as settings={...}",
    **dict.fromkeys(("frame", "events"), "; pl.DataFrame(...) makes one of what pandas or pyarrow has"),
    "where": "; a polars expression filters the frame of scan(): scan(...).filter(...)",
    **dict.fromkeys(("who", "by"), "; events.with_columns(name=...) makes a column of an expression"),
    **dict.fromkeys(
        ("to", "from_"),
        "; name a model, or a model and its layout, MODEL/LAYOUT; translate.models() lists them",
    ),
}
ALIKE = (  # words for one thing, of which each call has its own
    ("to", "as_", "via", "model", "target", "layout", "format", "schema"),
    ("from_", "model", "layout", "format", "source_model"),
    ("source", "path", "paths", "file", "folder", "files", "sources", "archive", "record"),
    ("out", "output", "journal", "destination", "target", "dir", "folder", "path"),
    ("where", "filter", "query", "condition", "predicate", "sql"),
    ("since", "start", "begin", "after"), ("until", "end", "stop", "before"),
    ("limit", "n", "n_rows", "head", "nrows", "max_rows"), ("settings", "config", "options"),
    ("who", "user", "by", "on"), ("period", "every", "interval", "freq", "granularity"), ("seen", "event", "name"),
    ("workers", "threads", "n_jobs", "processes"), ("dedupe", "deduplicate", "unique"),
)  # fmt: skip
DECLARED = {"int": WHOLE, "float": NUMBER, "str": TEXT, "bool": FLAG}


def checked(call: Callable[P, R]) -> Callable[P, R]:
    """Make a call that refuses arguments of another kind by CallError, and names of none with the nearest that there is."""
    name = call.__name__
    signature = inspect.signature(call)
    kinds = {each: KINDS.get(f"{name}.{each}", KINDS.get(each)) for each in signature.parameters}
    return _refusing(call, name, signature, kinds)


def checked_fields(made: T) -> T:
    """Make a dataclass that refuses fields of another kind than it declares, and names of none."""
    signature = inspect.signature(made)
    kinds = {
        name: DECLARED.get(str(parameter.annotation).removesuffix(" | None"))
        for name, parameter in signature.parameters.items()
    }
    own: Callable[..., Any] = vars(made)["__init__"]
    nobody = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    whole = signature.replace(parameters=[nobody, *signature.parameters.values()])
    setattr(made, "__init__", _refusing(own, made.__name__, whole, kinds))  # noqa: B010
    return made


def _refusing(
    call: Callable[P, R], named_as: str, signature: inspect.Signature, kinds: Kinds
) -> Callable[P, R]:
    parameters = {name: each for name, each in signature.parameters.items() if name != "self"}
    optional = {
        name
        for name, parameter in parameters.items()
        if parameter.default is None or str(parameter.annotation).endswith("| None")
    }

    @functools.wraps(call)
    def refusing(*given: P.args, **named: P.kwargs) -> R:
        unknown = next((name for name in named if name not in parameters), None)
        if unknown is not None:
            raise CallError(f'{named_as}() has no argument "{unknown}"{_meant(unknown, parameters, named)}')
        for name, value in _bound(signature, named_as, given, named).items():
            kind = kinds.get(name)
            if kind is None or (value is None and name in optional) or kind.takes(value):
                continue
            first, *more = repr(value).splitlines()
            shown = f"{first[:SHOWN_CHARACTERS]}..." if more or len(first) > SHOWN_CHARACTERS else first
            raise CallError(
                f"{named_as}: {name} should be {kind.told}, but is {shown} ({type(value).__name__}){WAYS_OUT.get(name, '')}"
            )
        return call(*given, **named)

    return refusing


def _bound(
    signature: inspect.Signature, name: str, given: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    """Give the arguments by their names; raise CallError that shows how the call is written."""
    try:
        return signature.bind(*given, **named).arguments
    except TypeError as error:
        needed = [
            parameter.name if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else f"{parameter.name}=..."
            for parameter in signature.parameters.values()
            if parameter.default is parameter.empty and parameter.name != "self"
        ]
        raise CallError(f"{name}(): {error}; write {name}({', '.join(needed)})") from None


def _meant(unknown: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Give the argument that was meant, by its letters or by what it says; else all that there are."""
    if f"{unknown}_" in known:
        return f'; did you mean "{unknown}_"?'  # those of Python's own words end in an underscore
    alike = (
        name for words in ALIKE if unknown in words for name in words if name in known and name not in given
    )
    near = suggest(unknown, known) or next((f'; did you mean "{name}"?' for name in alike), "")
    return near or f"; it takes {', '.join(known)}"
