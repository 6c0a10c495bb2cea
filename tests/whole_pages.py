"""What each of our pages keeps: it loads nothing, and whoever does not see or point gets along with it."""

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

LOADS = ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "background")
VOID = ("meta", "img", "br", "link", "input", "hr", "wbr")


class Page(HTMLParser):
    """Notes tags and attributes, and whether each is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def assert_it_loads_nothing(page):
    """No attribute that loads, no address in the style, and a policy that lets the one script run and nothing else."""
    parsed = Page(page)
    assert parsed.open == []
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name in LOADS and name != "href"]
    assert all(value.startswith("#") for name, value in parsed.attributes if name == "href")
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    style = page[page.index("<style>") : page.index("</style>")]
    assert not re.search(r"url\(|@import|https?:|expression", style)
    assert not re.search(r"""(?:=\s*["']?|url\()\s*(?:https?:)?//""", page)
    script = re.search("<script>(.*)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(value for name, value in parsed.attributes if name == "content" and "script-src" in value)
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy
    assert not re.search(r"fetch|XMLHttp|import\(|innerHTML|eval|document\.write", script)


def assert_all_can_read_it(page):
    """Landmarks, one first heading and no level left out, captions, scopes, names for drawings, and links that lead somewhere."""
    parsed = Page(page)
    assert {"header", "nav", "main", "footer"} <= set(parsed.tags)
    levels = [int(tag[1]) for tag in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert parsed.tags.count("table") == parsed.tags.count("caption")
    heads = re.findall("<th[ >][^>]*", page)
    assert heads
    assert all('scope="' in head for head in heads)
    assert all(
        'role="img"' in drawing and 'aria-label="' in drawing for drawing in re.findall("<svg[^>]*", page)
    )
    ids = [value for name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = [value for name, value in parsed.attributes if name == "aria-labelledby"]
    wanted += [value[1:] for name, value in parsed.attributes if name == "href"]
    assert wanted
    assert set(wanted) <= set(ids)
