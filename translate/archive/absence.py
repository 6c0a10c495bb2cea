"""Why a source gives no file, and what to name in its place."""

from __future__ import annotations

import os

NAME_OTHERS = "name a file, a folder, a glob or an s3:// URL of these"


def why_none(source: str) -> str:
    """Tell a folder that is empty, or that holds hidden files only, from what is not there."""
    if source.startswith("s3://") or not os.path.isdir(source):
        return f"nothing there; {NAME_OTHERS}"
    hidden = any(names for _, _, names in os.walk(source))
    return f"{'holds hidden files only, which are left out' if hidden else 'is empty'}; {NAME_OTHERS}"
