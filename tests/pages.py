"""The pages that people read: README.md, those beside it, and docs/, as the tests look at them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BESIDE = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [README, *BESIDE, *DOCS]


def address(page):
    """Name a page as its path in the checkout."""
    return page.relative_to(ROOT).as_posix()


def text_of(page):
    return page.read_text(encoding="utf-8")


def without_blocks(text):
    """Empty the fenced blocks of a page, line for line."""
    return re.sub(
        r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL
    )


def anchors(page):
    """Give what a link to a heading of the page says after its `#`, heading by heading."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(text_of(page)), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(page):
    """Give the path and the anchor of each link that stays in the checkout."""
    return re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", without_blocks(text_of(page)))
