"""The words of the mapping language: each is said once, in a module of this room, and found there."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from translate.vocabulary.word import Word

NO_WORD = Word("", "")


def _found() -> dict[str, Word]:
    """Find the words in the modules of this room."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    said = [value for module in modules for value in vars(module).values() if isinstance(value, Word)]
    return {word.name: word for word in said}


WORDS = _found()
# What a mapping may say by `as`, but for what is made for a request.
VOCABULARY = sorted(name for name, word in WORDS.items() if word.of_mappings and not word.is_stamp)


def word_of(name: str) -> Word:
    """Give the word of a name; one without traits for a name that none has."""
    return WORDS.get(name, NO_WORD)
