"""The kernel's compilation: hatch_build.py asks for it at installation, `python -m translate.engine.build` in a checkout.

It imports nothing but the standard library, so that a build environment can load it by its path, and of that only what each start
of the program can afford: `translate.engine.choice` needs the places that are named here.

`--strict` makes warnings errors, as the project's tests do; an installation never does, for a compiler of tomorrow warns of more.
`--sanitize` builds `kernel-sanitized.so` beside the other, whose every access out of bounds ends the process with a report. To run tests
under it (the sanitizers have to be loaded before Python, and Python itself leaks on purpose):

    python -m translate.engine.build --sanitize
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
        TRANSLATE_ENGINE=sanitized python -m pytest tests/test_kernel_ids.py
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tempfile

FOLDER = Path(__file__).parent / "kernel"
KERNEL = FOLDER / "kernel.so"
SANITIZED = FOLDER / "kernel-sanitized.so"

SLOWER = "translate works all the same, but slower"
SHARED = ["-std=c99", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"]
FAST = ["-O3", "-DNDEBUG"]
SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
ZIG = "ziglang"  # a C compiler as a package of Python
# Those that have it for every system named here; a package that cannot be fetched would fail the installation.
ZIG_REQUIREMENT = (
    "ziglang; platform_machine == 'x86_64' or platform_machine == 'aarch64' or platform_machine == 'arm64'"
)
TRIAL = (
    "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\nint translate_trial(void) { return 0; }\n"
)


class BuildError(Exception):
    """The kernel could not be compiled; the text says why."""


class NoCompilerError(BuildError):
    """Nothing here compiles."""


def sources() -> list[Path]:
    """Give the kernel's C files, in order."""
    return sorted(FOLDER.glob("*.c"))


def needs_ziglang() -> bool:
    """Whether a compiler from the package index is wanted: there are sources, and nothing here compiles."""
    return bool(sources()) and "CC" not in os.environ and not any(_compiles(compiler) for compiler in _own())


def build(target: Path = KERNEL, *, strict: bool = False, sanitize: bool = False) -> Path | None:
    """Compile the kernel to a file, which appears whole or not at all; None where there are no sources."""
    if not sources():
        return None
    if os.name != "posix":
        raise BuildError("no kernel for this system")
    options = [*SHARED, *(SANITIZERS if sanitize else FAST), *(["-Werror"] if strict else [])]
    command = [*compiler(), *options]
    with _scratch(target.parent) as folder:
        made = Path(folder) / target.name
        _run([*command, "-o", str(made), *map(str, sources())])
        made.replace(target)
    return target


def compiler() -> list[str]:
    """Give the command of the compiler: $CC if that is set, else the first of the system's that works, else ziglang's."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for command in _own():
        if _compiles(command):
            return command
    if importlib.util.find_spec(ZIG) is not None:
        # Without the latter it uses what this very processor has, and a wheel goes to others.
        return [sys.executable, "-m", ZIG, "cc", "-mcpu=baseline"]
    raise NoCompilerError("no C compiler was found")


def stale(target: Path = KERNEL) -> bool:
    """Whether a source is younger than the library made of them; where there are no sources, none is."""
    made = target.stat().st_mtime_ns if target.exists() else 0
    written = [*sources(), *FOLDER.glob("*.h")] if sources() else []
    return any(path.stat().st_mtime_ns > made for path in written)


def _own() -> list[list[str]]:
    """Give the compilers of this system."""
    return [[name] for name in ("cc", "gcc", "clang") if shutil.which(name)]


def _compiles(command: list[str]) -> bool:
    """Whether a compiler makes a library that uses C's own headers: on a small system they may be missing."""
    with _scratch() as folder:
        source = Path(folder) / "trial.c"
        source.write_text(TRIAL)
        try:
            _run([*command, *SHARED, "-o", str(Path(folder) / "trial.so"), str(source)])
        except BuildError:
            return False
    return True


def _scratch(beside: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    import tempfile  # noqa: PLC0415

    return tempfile.TemporaryDirectory(dir=beside)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603  the compiler that was named
    except OSError as error:
        raise BuildError(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise BuildError(f"{shlex.join(command[:4])}: exit code {done.returncode}\n{done.stderr}".rstrip())


def main(arguments: list[str] | None = None) -> int:
    """Compile the kernel in this checkout, and say what was made."""
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="python -m translate.engine.build", description="Compile the kernel."
    )
    parser.add_argument("--strict", action="store_true", help="make warnings errors")
    parser.add_argument("--sanitize", action="store_true", help="build kernel-sanitized.so, for tests")
    chosen = parser.parse_args(arguments)
    target = SANITIZED if chosen.sanitize else KERNEL
    try:
        made = build(target, strict=chosen.strict, sanitize=chosen.sanitize)
    except BuildError as error:
        print(f"no kernel: {error}", file=sys.stderr)  # noqa: T201  a developer's command
        return 1
    print(made or "no sources, no kernel")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
