"""The kernel's flat tables as ctypes lays them out: the same structures, in the same order, as kernel/program.h has them."""

from __future__ import annotations

import ctypes
import struct

SORTS = ("text", "empty", "number", "flag", "null", "object", "list")
WATCHED_MAX = 8


class Span(ctypes.Structure):
    """Bytes in the program's texts."""

    _fields_ = [("start", ctypes.c_int32), ("length", ctypes.c_int32)]


class Child(ctypes.Structure):
    """A member that is known: of an object its node, of anything else its leaf."""

    _fields_ = [("key", Span), ("node", ctypes.c_int32), ("leaf", ctypes.c_int32)]


class Node(ctypes.Structure):
    """An object, by its members."""

    _fields_ = [("first_child", ctypes.c_int32), ("n_children", ctypes.c_int32)]


class LeafTable(ctypes.Structure):
    """What becomes of a value."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("way", "unit", "flags", "column", "presets")),
        *(
            (name, Span)
            for name in ("constant", "retyped", "floored", "strayed", "rounded", "member", "beyond")
        ),
        *((name, ctypes.c_int32) for name in ("first_name", "n_names")),
    ]


class Peek(ctypes.Structure):
    """A value that may hide in what is carried whole."""

    _fields_ = [("column", ctypes.c_int32), ("map", ctypes.c_int32), ("key", Span)]


class WayStep(ctypes.Structure):
    """A step on the way down to the events of a request."""

    _fields_ = [("name", Span), ("is_any", ctypes.c_int32), ("column", ctypes.c_int32)]


class Reason(ctypes.Structure):
    """What is said of a fault."""

    _fields_ = [("code", Span), ("message", Span)]


class Overruled(ctypes.Structure):
    """What a request says of all its events, where one of them may say otherwise."""

    _fields_ = [("outer", ctypes.c_int32), ("inner", ctypes.c_int32), ("note", Span)]


class ColumnName(ctypes.Structure):
    """A column, by where its name begins, and its type."""

    _fields_ = [("name", ctypes.c_int32), ("type", ctypes.c_int32)]


class ProgramTable(ctypes.Structure):
    """All of it."""

    _fields_ = [
        ("texts", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("nodes", "children", "leaves", "names", "peeks", "columns")),
        *((name, ctypes.c_int32) for name in ("n_children", "n_columns", "n_peeks")),
        *((name, ctypes.c_int32) for name in ("event", "name_column", "time_column", "session_column")),
        *(
            (name, ctypes.c_int32)
            for name in ("attributes", "metrics", "other", "extra", "user_properties", "user_times")
        ),
        *((name, ctypes.c_int32) for name in ("request", "n_steps", "n_overruled", "n_undecided")),
        *((name, ctypes.c_int32) for name in ("n_opened", "takes_list", "n_named")),
        *(
            (name, ctypes.c_void_p)
            for name in ("steps", "overruled", "undecided", "opened", "named", "reasons")
        ),
        ("emptied", Span),
        ("note_end", Span),
        ("record_bytes", ctypes.c_int64),
    ]


class PlaceRow(ctypes.Structure):
    """A place, as kernel/tally.h lays it out; so are the others, as tally.c does."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("name_length", ctypes.c_int32),
        ("first_child", ctypes.c_int32),
        ("n_children", ctypes.c_int32),
        ("below", ctypes.c_int32),
        ("name_rank", ctypes.c_int32),
        ("is_for_python", ctypes.c_int32),
        ("silent", ctypes.c_int32),
        ("homes", ctypes.c_int32 * len(SORTS)),
        ("watched", ctypes.c_int32 * WATCHED_MAX),
    ]


class RemarkRow(ctypes.Structure):
    """Something that is said of a column, a key of it, or a place of the source."""

    _fields_ = [
        ("column", ctypes.c_int32),
        ("has_key", ctypes.c_int32),
        ("key", ctypes.c_char_p),
        ("key_length", ctypes.c_int64),
    ]


class SpanRow(ctypes.Structure):
    """The remarks upon a row."""

    _fields_ = [("begin", ctypes.c_int64), ("end", ctypes.c_int64)]


class SheetRow(ctypes.Structure):
    """What rows are held against."""

    _fields_ = [
        ("places", ctypes.c_void_p),
        ("flags_of", ctypes.c_void_p),
        ("mixed", ctypes.c_void_p),
        ("remarks", ctypes.c_void_p),
        ("sets", ctypes.c_void_p),
        ("in_sets", ctypes.c_void_p),
        ("n_places", ctypes.c_int32),
        ("n_flags", ctypes.c_int32),
        ("n_mixed", ctypes.c_int32),
        ("extra", ctypes.c_int32),
    ]


# A way, as tally.c lays it out.
WAY = struct.Struct("2Q6i2I2iH3B3x")
