"""What the site needs beside the pages: its contents from the table of the pages, and the files elsewhere that they lead to."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
BESIDE = "beside"  # the folder of the site where files of the repository lie
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"`[^`\n]+`")


def on_config(config: Any) -> Any:
    """Take the contents from docs/README.md: a heading is a part, each link in the first column of its table a page."""
    config.markdown_extensions.append("toc")
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    config.nav = ["README.md", *_parts(text)]
    return config


def _parts(text: str) -> list[dict[str, list[str]]]:
    parts = []
    for heading, body in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        pages = [
            _address("README.md", path)
            for path in re.findall(r"^\| \[[^\n]*?\]\(([^)#]+)\)", body, re.MULTILINE)
        ]
        if pages:
            parts.append({heading: list(dict.fromkeys(pages))})
    return parts


def slug(heading: str, separator: str) -> str:
    """Name a heading's place as a repository's own view does."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", separator)


def on_files(files: Files, config: Any) -> Files:
    """Add the files elsewhere in the repository that pages lead to, pages as pages."""
    waiting = [file.src_uri for file in files.documentation_pages()]
    known = set(waiting)
    while waiting:
        page = waiting.pop()
        for _, _, path, _ in LINK.findall(_unfenced(_source(page).read_text(encoding="utf-8"))):
            found = _target(page, path)
            if found is None or not found.is_file():
                continue
            address = _address(page, path)
            if address.startswith(BESIDE) and address not in known:
                known.add(address)
                files.append(_file(address, found, config))
                if address.endswith(".md"):
                    waiting.append(address)
    return files


def _file(address: str, found: Path, config: Any) -> File:
    if address.endswith(".md"):
        return File.generated(config, address, content=found.read_text(encoding="utf-8"))
    return File.generated(config, address, abs_src_path=str(found))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links that leave docs/ lead to the copies; of a folder, which a site has none of, its name stays."""
    here = page.file.src_uri

    def moved(link: re.Match[str]) -> str:
        mark, text, path, anchor = link.groups()
        found = _target(here, path)
        if found is None or not found.exists():
            return link[0]
        if found.is_dir():
            return text
        relative = posixpath.relpath(_address(here, path), posixpath.dirname(here) or ".")
        return f"{mark}[{text}]({relative}{anchor or ''})"

    fences = re.split(r"(^ *```.*?^ *```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if number % 2 else CODE.sub(_unescaped, LINK.sub(moved, part))
        for number, part in enumerate(fences)
    )


def _unescaped(code: re.Match[str]) -> str:
    """Take the backslash from a bar within code: a repository's own view needs it in a table, the site would show it."""
    return code[0].replace("\\|", "|")


def _unfenced(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _source(address: str) -> Path:
    """Find where a page of the site stands in the repository."""
    beside = address.removeprefix(f"{BESIDE}/")
    return ROOT / beside if beside != address else ROOT / "docs" / address


def _target(page: str, path: str) -> Path | None:
    found = Path(os.path.normpath(_source(page).parent / path))
    return found if found.is_relative_to(ROOT) else None


def _address(page: str, path: str) -> str:
    """Name where in the site lies what a page leads to."""
    found = Path(os.path.normpath(_source(page).parent / path))
    if found.is_relative_to(ROOT / "docs"):
        return found.relative_to(ROOT / "docs").as_posix()
    return f"{BESIDE}/{found.relative_to(ROOT).as_posix()}"
