"""The tables of a tally of keys, as kernel/tally.h and tally.c lay them out."""

from __future__ import annotations

import ctypes
import struct

SORTS = ("text", "empty", "number", "flag", "null", "object", "list")
WATCHED_MAX = 8


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
