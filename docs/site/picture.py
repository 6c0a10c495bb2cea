"""Writes docs/inspection.png, the picture of the front page: the page that `inspect` makes of the sample archive, as a browser shows it.

It wants Chromium; the name of its program is $BROWSER, else the first of the usual ones that is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT / "sample_data" / "mobile_analytics" / "archive"
WIDTH, HEIGHT = 1000, 900
USUAL = ("chromium", "chromium-browser", "google-chrome", "chrome")


def browser() -> str:
    """Find the browser's program."""
    names = [os.environ["BROWSER"]] if "BROWSER" in os.environ else USUAL
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit(f"no browser is here: none of {', '.join(names)}")
    return found


def main() -> None:
    """Make the page and take its picture."""
    program = browser()
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "page.html")
        words = [sys.executable, "-m", "translate", "inspect", str(ARCHIVE), "--html", str(page)]
        subprocess.run(words, stdout=subprocess.DEVNULL, check=False)
        picture = ROOT / "docs" / "inspection.png"
        subprocess.run(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
                f"--user-data-dir={scratch}/profile", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri(),
            ],
            stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    print(picture.relative_to(ROOT))


if __name__ == "__main__":
    main()
