"""The words by their kinds."""

from __future__ import annotations

from translate.vocabulary.word import KIND_NAMES, Unit, Word
from translate.vocabulary.words import VOCABULARY, WORDS
from translate.vocabulary.words.stamps import EXAMPLE_REQUEST, EXAMPLE_TEMPLATE, parameters

__all__ = ["EXAMPLE_REQUEST", "EXAMPLE_TEMPLATE", "KIND_NAMES", "VOCABULARY", "Codec", "Unit", "parameters"]

Codec = Word
SCALARS = {name: word for name, word in WORDS.items() if word.is_scalar}
CONTAINERS = {name: word for name, word in WORDS.items() if word.is_container}
WHOLE_MAPS = tuple(name for name, word in WORDS.items() if word.holds_whole_map)
STAMPS = {name: word.about for name, word in WORDS.items() if word.is_stamp}
