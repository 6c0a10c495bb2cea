"""Mappings: one data sheet per model, shipped with the package, added to or replaced by those of a folder of the caller's.

A TOML file (`sheet`, its `keys`) is read (`parse`, with `fields`, `delivery`, `columns`) into what a mapping may
say (`spec`); its parts have to agree, and each field runs once without rows (`agreement`, `surroundings`, `checks`).
`personal` tells where in the hub its marked places lie.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from translate.errors import UsageError, suggest
from translate.mapping.parse import parse
from translate.mapping.personal import Marked, marked
from translate.mapping.spec import Layout, Mapping

HUB = "hub"  # no file says what it is, but it can be named like a model
PACKAGED = Path(__file__).resolve().parent.parent / "mappings"
CHECKOUT = Path(__file__).resolve().parent.parent.parent / "mappings"


def folder() -> Path:
    """Give the folder of the shipped mappings: the wheel's own copy, else the checkout's."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


def files(mappings: Path | None = None, inside: str = "") -> dict[str, Path]:
    """Give the shipped TOML files by their names, those of the caller's folder in place of or beside them.

    `inside` is a folder within both, such as that of the recipes. Raise UsageError for a folder that is none or holds
    nothing to read.
    """
    if mappings is not None:
        _refuse_useless(mappings)
    folders = [folder()] if mappings is None else [folder(), mappings]
    return {path.stem: path for place in folders for path in sorted((place / inside).glob("*.toml"))}


def _refuse_useless(mappings: Path) -> None:
    if not mappings.is_dir():
        raise UsageError(
            f"--mappings {mappings}: there is no such folder; name one that holds data sheets, MODEL.toml"
        )
    if not any(mappings.glob("*.toml")) and not any(mappings.glob("recipes/*.toml")):
        raise UsageError(
            f"--mappings {mappings}: holds no data sheet (MODEL.toml) and no recipe (recipes/NAME.toml)"
        )
    if (mappings / f"{HUB}.toml").exists():
        raise UsageError(
            f"--mappings {mappings}: {HUB}.toml: no model can be called {HUB}, which is what all of them meet in; rename it"
        )


def models(mappings: Path | None = None) -> list[str]:
    """Name the models, in alphabetical order."""
    return sorted(files(mappings))


@cache
def _load(path: Path, changed_ns: int) -> Mapping:
    del changed_ns  # a sheet that was edited, as in a notebook, is another one
    is_proven = path.parent == PACKAGED  # by the tests, and nobody edits it
    return parse(path, proven=is_proven)


_FORM = "; that is a form of files, and a model says in which its rows lie: name the one that reads them"
OF_FILES = {
    "parquet": f'; Parquet is "{HUB}" here',
    **dict.fromkeys(("json", "jsonl", "ndjson", "csv"), _FORM),
}


def load(model: str, mappings: Path | None = None) -> Mapping:
    """Load one model's mapping; raise UsageError for an unknown model, MappingError for a wrong file."""
    known = files(mappings)
    if model not in known:
        names = sorted([*known, HUB])
        near = OF_FILES.get(model.lower()) or suggest(model, names)
        if model == HUB:
            raise UsageError("hub: its rows are the events themselves; name another model")
        near = "; a call takes one" if set(model.split(",")) <= set(names) else near
        raise UsageError(f'no model "{model}"{near} (models: {", ".join(names)})')
    return _load(known[model], known[model].stat().st_mtime_ns)


def find_layout(address: str, mappings: Path | None = None) -> tuple[Mapping, Layout]:
    """Find `model` or `model/layout`; raise UsageError that names the near and the known ones."""
    model, _, name = address.partition("/")
    mapping = load(model, mappings)
    if not name:
        return mapping, mapping.default_layout()
    if name not in mapping.layouts:
        known = ", ".join(mapping.layouts)
        raise UsageError(f'{model} has no layout "{name}"{suggest(name, mapping.layouts)} (layouts: {known})')
    return mapping, mapping.layouts[name]


def marked_anywhere(mappings: Path | None = None) -> list[Marked]:
    """Find the personal data that any model marks, as it lies in the hub: for events that come from there."""
    layouts = (layout for name in models(mappings) for layout in load(name, mappings).layouts.values())
    found = {(place.kind, place.spots): place for layout in layouts for place in marked(layout)}
    return [replace(place, place=place.spots[0].shown) for place in found.values()]
