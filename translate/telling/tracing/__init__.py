"""One record through a conversion: which rule, which place, which value made each field of the target."""

from translate.telling.tracing.explaining import why
from translate.telling.tracing.result import EventTrace, FieldTrace, Why

__all__ = ["EventTrace", "FieldTrace", "Why", "why"]
