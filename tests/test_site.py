"""docs/ becomes a site: every link leads somewhere, and nothing is loaded from a network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from pages import BESIDE, DOCS, ROOT, text_of

pytest.importorskip("mkdocs")

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src"}  # fmt: skip
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch", "manifest"}  # fmt: skip


class Loads(HTMLParser):
    """Collects what a page makes a browser load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if LOADING_LINKS & set((given.get("rel") or "").split()) and tag == "link":
            self.found.append(given.get("href") or "")
        self.found.append(given.get(LOADING.get(tag, ""), "") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    words = [
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(ROOT / "mkdocs.yml"),
        "--site-dir",
        str(folder),
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def foreign(addresses):
    return [address for address in addresses if re.match(r"(?:[a-z]+:)?//", address)]


@pytest.mark.slow
def test_no_page_loads_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loads = Loads()
        loads.feed(text_of(page))
        assert foreign(loads.found) == [], page
        assert [name for name in loads.found if name.startswith("/") and page.name != "404.html"] == [], page


@pytest.mark.slow
def test_no_style_loads_from_elsewhere(site):
    for style in site.rglob("*.css"):
        addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", text_of(style))
        assert foreign([first or second for first, second in addresses]) == [], style


@pytest.mark.slow
def test_every_page_is_there_and_in_the_contents(site):
    contents = text_of(site / "index.html")
    for page in DOCS:
        if page.name == "README.md":
            continue
        address = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert (site / address).is_file()
        assert f'href="{address}"' in contents, address
    assert [
        page.name for page in BESIDE if not (site / "beside" / page.name.replace(".md", ".html")).is_file()
    ] == []


@pytest.mark.slow
def test_what_is_written_out_stays_so(site):
    """A fenced block comes out letter for letter, whatever in it looks like a link."""
    assert "&lt;!-- " not in text_of(site / "commands.html")
    assert (site / "architecture.svg").is_file()
