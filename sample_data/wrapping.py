"""How a layout's rows become a file's text: lines, run together, base64, gzip, tables."""

import base64
import gzip
import json


def compact(value):
    """Write a value as the SDKs do, without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def lines(*rows):
    """Write one value a line."""
    return "".join(compact(row) + "\n" for row in rows)


def run_together(*rows):
    """Write records without anything between them, as a delivery stream does."""
    return "".join(map(compact, rows))


def in_base64(text):
    """Write a text as base64."""
    return base64.b64encode(text.encode()).decode()


def zipped(text):
    """Write a text as base64 of its gzip; stored, so that the bytes are the same with every zlib."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=0, mtime=0)).decode()


def table(header, *rows):
    """Write a table: texts in quotes where they need them or are empty, nothing for null."""
    return "".join(
        ",".join(map(cell, row)) + "\n"
        for row in [header, *([row.get(name) for name in header] for row in rows)]
    )


def cell(value):
    """Write a cell."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return value if value and not set(',"\r\n') & set(value) else '"' + value.replace('"', '""') + '"'
