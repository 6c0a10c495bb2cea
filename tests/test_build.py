"""The kernel gets built wherever the package is installed, and an installation never fails by it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from translate.engine import build

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data" / "mobile_analytics" / "archive_minimal.jsonl"
CARRIED = ("translate", "mappings", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore")
LIBRARY = "translate/engine/kernel/kernel.so"
REQUIREMENTS = "import hatchling.build as b, json; print(json.dumps(b.get_requires_for_build_wheel()))"
OUT_OF_BOUNDS = """
#include <stdlib.h>
__attribute__((visibility("default"))) int beyond(int length);
int beyond(int length) {
    char *text = calloc((size_t)length, 1);
    text[length] = 'x';
    int last = text[length];
    free(text);
    return last;
}
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of what an installation needs, without anything that was built."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in CARRIED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(place, folder / name)
    return folder


@pytest.fixture
def installed(tmp_path):
    """A fresh environment that sees this one's packages, but neither this project nor a compiler from the index."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for place in map(Path, sys.path):
        for entry in place.iterdir() if place.name == "site-packages" else ():
            known = (packages / entry.name).exists() or entry.suffix == ".pth"
            if not known and not entry.name.startswith(("ziglang", "translate_events")):
                (packages / entry.name).symlink_to(entry)
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(str(packages))
    return folder


def run(*words, cwd, code=0, **environment):
    """Run a command outside of any choice that these tests run under; give what it said."""
    plain = {
        name: text
        for name, text in os.environ.items()
        if name not in {"CC", "PYTHONPATH", "TRANSLATE_ENGINE"}
    }
    done = subprocess.run(
        words, cwd=cwd, env={**plain, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def install(what, into, *words, **environment):
    """Install as a user does, but without the network."""
    pip = [sys.executable, "-m", "pip", "--python", str(into / "bin" / "python"), "install", "--verbose"]
    return run(
        *pip, "--no-deps", "--no-index", "--no-build-isolation", *words, str(what), cwd=into, **environment
    )


def wheel_of(folder, **environment):
    """Build a wheel of a folder."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out", cwd=folder, **environment)
    (file,) = (folder / "out").glob("*.whl")
    return file


def no_compiler(folder):
    """Make a PATH that holds no compiler."""
    (folder / "empty").mkdir()
    return str(folder / "empty")


def works(environment, engine):
    """Whether what was installed names this engine, and converts."""
    command = str(environment / "bin" / "translate")
    said = run(command, "--version", cwd=environment)
    converted = run(
        command, "convert", str(SAMPLE), "--to", "clickstream", "--out", "out", "--json", cwd=environment
    )
    return f"engine: {engine}" in said and json.loads(converted)["events"]["written"] == 1


@pytest.mark.slow
def test_a_wheel_carries_the_kernel(checkout, installed):
    """With a compiler, a wheel belongs to one platform and every Python on it, carries the library, and works."""
    wheel = wheel_of(checkout)
    assert re.fullmatch(r"translate_events-[0-9.]+-py3-none-(linux|macosx)_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert LIBRARY in names
    assert not [name for name in names if name.endswith((".c", ".h"))]
    assert not (checkout / LIBRARY).exists(), "a wheel leaves nothing in the checkout"
    install(wheel, installed)
    assert works(installed, "kernel")


@pytest.mark.slow
def test_an_editable_installation_builds_in_the_checkout(checkout, installed):
    """An editable installation finds the library where the sources are."""
    install(checkout, installed, "--editable")
    assert (checkout / LIBRARY).exists()
    assert works(installed, "kernel")


@pytest.mark.slow
@pytest.mark.parametrize("editable", [False, True])
@pytest.mark.parametrize("lacks", ["compiler", "success"])
def test_an_installation_never_fails_by_the_kernel(checkout, installed, lacks, editable):
    """Without a compiler, or with one that fails, one line says that it will be slower, and everything works."""
    environment = {"CC": "false"} if lacks == "success" else {"PATH": no_compiler(installed)}
    (checkout / LIBRARY).write_bytes(b"of an installation before")
    said = install(checkout, installed, *(["--editable"] if editable else []), **environment)
    assert [build.SLOWER in line for line in said.splitlines()].count(True) == 1
    assert works(installed, "reference, slower: no compiled kernel")


@pytest.mark.slow
def test_a_source_distribution_carries_the_sources(checkout):
    """A source distribution holds the C files and what compiles them, no library, and becomes a wheel that has one."""
    (checkout / LIBRARY).write_bytes(b"built here")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", "out", cwd=checkout)
    (file,) = (checkout / "out").glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        # Of Debian 12's Python it takes no filter yet, and later ones ask for one.
        archive.extractall(
            checkout / "unpacked", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
        )
    sources = {path.relative_to(ROOT).as_posix() for path in build.FOLDER.glob("*.[ch]")}
    assert {*sources, "hatch_build.py", "translate/engine/build.py"} <= names
    assert not [name for name in names if name.endswith(".so")]
    (unpacked,) = (checkout / "unpacked").iterdir()
    with zipfile.ZipFile(wheel_of(unpacked)) as wheel:
        assert LIBRARY in wheel.namelist()


def test_a_compiler_is_fetched_only_where_there_is_none(checkout):
    """The build asks the package index for a compiler only where this machine has none, and nobody said which, or none."""

    def asked(**environment):
        return json.loads(
            run(sys.executable, "-c", REQUIREMENTS, cwd=checkout, **environment).splitlines()[-1]
        )

    none = no_compiler(checkout)
    assert asked() == []
    assert asked(PATH=none) == [build.ZIG_REQUIREMENT]
    assert asked(PATH=none, CC="tcc") == []
    assert asked(PATH=none, TRANSLATE_ENGINE="reference") == []


@pytest.mark.slow
def test_the_compiler_of_the_package_index_will_do(checkout):
    """Where the machine has no compiler, ziglang's makes the same kind of wheel."""
    pytest.importorskip("ziglang")
    with zipfile.ZipFile(wheel_of(checkout, PATH=no_compiler(checkout))) as wheel:
        assert LIBRARY in wheel.namelist()


def test_the_sources_compile_without_a_warning(tmp_path):
    """The kernel's own sources compile where each warning is an error."""
    assert build.sources()
    assert build.build(tmp_path / "kernel.so", strict=True) == tmp_path / "kernel.so"


def test_warnings_are_errors_only_where_it_is_asked(tmp_path, monkeypatch):
    """What a compiler warns of fails the project's own build, never a user's; a failed build leaves what was there."""
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    (tmp_path / "warned.c").write_text("static int unused(void) { return 0; }\n")
    target = tmp_path / "kernel.so"
    assert build.build(target) == target
    before = target.read_bytes()
    with pytest.raises(build.BuildError, match="unused"):
        build.build(target, strict=True)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernel.so", "warned.c"]


def test_sanitizers_tell_of_an_access_out_of_bounds(tmp_path, monkeypatch):
    """The library for tests ends the process at a byte out of bounds, which the other does not notice."""
    if shutil.which("gcc") is None or sysconfig.get_platform() != "linux-x86_64":
        pytest.skip("sanitizers are loaded by the way of gcc on Linux")
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setenv("CC", "gcc")
    (tmp_path / "beyond.c").write_text(OUT_OF_BOUNDS)
    build.build(tmp_path / "sanitized.so", sanitize=True)
    loaded = [
        run("gcc", f"-print-file-name={name}", cwd=tmp_path).strip() for name in ("libasan.so", "libubsan.so")
    ]
    call = "import ctypes; ctypes.CDLL('./sanitized.so').beyond(24)"
    said = run(
        sys.executable, "-c", call, cwd=tmp_path, code=1, LD_PRELOAD=" ".join(loaded), ASAN_OPTIONS="detect_leaks=0",
    )  # fmt: skip
    assert "heap-buffer-overflow" in said
