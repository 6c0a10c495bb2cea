"""The kernel under the sanitizers for addresses and undefined behaviour: it reads what was made to break it without a word from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from translate.engine import build

FOLDER = Path(__file__).resolve().parent
LINES = 20_000
BEYOND = """
import ctypes, sys
memory = (ctypes.c_char * 64).from_buffer_copy(b"x" * 64)
digits = ctypes.create_string_buffer(64)
print(ctypes.CDLL(sys.argv[1]).translate_trial_beyond(memory, 64), flush=True)
"""
TRIAL = """
__attribute__((visibility("default"))) int translate_trial_beyond(const char *text, int length);
int translate_trial_beyond(const char *text, int length) { return text[length]; }
"""


def sanitizers() -> str | None:
    """Give the libraries that have to be loaded before Python, or None where the compiler has none."""
    if shutil.which("gcc") is None:
        return None
    found = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return " ".join(found) if all(Path(path).is_absolute() for path in found) else None


pytestmark = pytest.mark.skipif(sanitizers() is None, reason="gcc or its sanitizers are not here")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the sanitizers loaded, its own small objects in memory that they watch."""
    environment = {
        **os.environ, "LD_PRELOAD": sanitizers(), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc",
        "TRANSLATE_ENGINE": "sanitized", "PYTHONPATH": os.pathsep.join([str(FOLDER), str(FOLDER.parent)]),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """Build the kernel with the sanitizers."""
    if build.stale(build.SANITIZED):
        build.build(build.SANITIZED, strict=True, sanitize=True)


@pytest.mark.slow
def test_the_sanitizers_say_nothing() -> None:
    """The JSON cases, numbers, samples cut behind each byte, thousands of mutations, and conversions of all samples."""
    done = run(str(FOLDER / "under_sanitizers.py"), str(LINES))
    assert done.returncode == 0, done.stderr[-4000:]
    total, decided = map(int, done.stdout.split())
    assert total > LINES
    assert decided > total / 10


@pytest.mark.slow
def test_they_say_nothing_of_maps_and_long_lines() -> None:
    """What the kernel does with keys, whole maps, requests and texts in pieces."""
    files = [
        str(FOLDER.parent / name)
        for name in (
            "test_kernel_keys.py",
            "test_kernel_packing.py",
            "test_split.py",
            "test_long_lines.py",
            "test_many_small_files.py",
        )
    ]
    done = run("-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.slow
def test_they_say_nothing_of_keys_that_are_tallied() -> None:
    """What the kernel does with records whose values were exchanged for others, and with the columns beside them."""
    file = str(FOLDER.parent / "test_census_tally.py")
    done = run(
        "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-k", "damaged or foreign", file
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_they_would_say_something(tmp_path: Path) -> None:
    """One byte beyond a text, in memory as the test above hands it over, ends the process."""
    source, library = tmp_path / "beyond.c", tmp_path / "beyond.so"
    source.write_text(TRIAL)
    subprocess.run(["gcc", *build.SHARED, *build.SANITIZERS, "-o", library, source], check=True)
    done = run("-c", BEYOND, str(library))
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
