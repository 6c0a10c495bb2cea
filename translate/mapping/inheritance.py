"""Layouts that are like another one: what they do not say themselves, they take from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from translate.errors import suggest
from translate.mapping.sheet import Sheet, join, read_toml

MERGED = ("fields", "checks", "personal")
OWN = ("like", "about", "default", "request", "folder", "marks", "mark_names")


def inherit(path: Path, table: dict[str, Any], sheet: Sheet) -> Iterator[str]:
    """Put into each layout what the one has that it is `like`; give the digests of the other files read for it.

    Fields are put together, the layout's own last; any other member is taken over only where it is missing. The
    other layout has to stand on its own: nobody could follow a chain. A `like` that leads nowhere stays in its layout.
    """
    layouts = table.get("layout")
    if not isinstance(layouts, dict):
        return
    likes = {
        name: layout["like"]
        for name, layout in layouts.items()
        if isinstance(layout, dict) and "like" in layout
    }
    for name, like in likes.items():
        where = join(join("layout", name), "like")
        if not isinstance(like, str):
            sheet.complain(where, f"should be a layout, but is {like!r}")
            continue
        model, slash, other = like.rpartition("/")
        found, leaning = layouts, set(likes)
        if slash:
            files = {beside.stem: beside for beside in path.parent.glob("*.toml")}
            if model not in files:
                sheet.complain(where, f'no model "{model}"{suggest(model, files)}')
                continue
            content, digest = read_toml(files[model], files[model].name)
            yield digest
            found = content.get("layout", {})
            found = found if isinstance(found, dict) else {}
            leaning = {
                beside for beside, layout in found.items() if isinstance(layout, dict) and "like" in layout
            }
        if other == name and found is layouts:
            sheet.complain(where, "a layout is not like itself")
        elif not isinstance(found.get(other), dict):
            sheet.complain(where, f'no layout "{other}"{suggest(other, found)}')
        elif other in leaning:
            sheet.complain(where, f'"{like}" is like another layout itself: name that one')
        else:
            del layouts[name]["like"]
            _take_over(layouts[name], found[other])


def _take_over(layout: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if key in MERGED and isinstance(layout.get(key), dict) and isinstance(value, dict):
            layout[key] = {**value, **layout[key]}
        elif key not in OWN:
            layout.setdefault(key, value)
