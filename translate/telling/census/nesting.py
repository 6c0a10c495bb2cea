"""What lies below the places of a layout, as the census asks it of the reader's trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translate.mapping.spec import Layout
from translate.reader.tree import Places
from translate.telling.census import Below, Tree
from translate.vocabulary.word import Form

BELOW: dict[Form, Below] = {
    "maps": Below.KEYS, "object": Below.KEYS, "whole": Below.KEYS, "user": Below.PROPERTIES,
    "entities": Below.ENTITIES, "properties": Below.JSON_OF_KEYS,
}  # fmt: skip


def below(tree: Mapping[str, Any]) -> Tree:
    """Turn the reader's tree into what the census asks of one."""
    return {
        name: below(node) if isinstance(node, dict) else BELOW.get(node.entry.word.form, Below.NOTHING)
        for name, node in tree.items()
    }


class Around:
    """What a layout knows of the places around its events."""

    def __init__(self, layout: Layout, places: Places) -> None:
        fields = layout.request.fields if layout.request else ()
        self.tree: Tree = below(places.request)
        self.names = places.names
        self.maps = {entry.path: entry for entry in fields if entry.word.holds_whole_map}
        self.heads = places.heads_around
        self.nodes = places.request
