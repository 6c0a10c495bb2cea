"""Compiles the kernel when a wheel is made or the package is installed; an installation never fails by it."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

BUILD = Path(__file__).parent / "translate" / "engine" / "build.py"


def _compilation() -> Any:
    """Load the one module that knows how: by its path, for the package itself is not installed yet."""
    specification = importlib.util.spec_from_file_location("translate_engine_build", BUILD)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class KernelHook(BuildHookInterface):
    """Compiles the kernel into the wheel; for an editable installation, into the checkout."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a compiler from the package index where this machine has none."""
        compilation = _compilation()
        return [compilation.ZIG_REQUIREMENT] if self._wanted() and compilation.needs_ziglang() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; where that fails, say in one line what it means."""
        if not self._wanted():
            return
        compilation = _compilation()
        editable = version == "editable"
        self._folder = tempfile.TemporaryDirectory()
        target = compilation.KERNEL if editable else Path(self._folder.name) / compilation.KERNEL.name
        try:
            made = compilation.build(target)
        except compilation.BuildError as error:
            compilation.KERNEL.unlink(missing_ok=True) if editable else None
            reason = str(error).splitlines()[0]
            self.app.display_warning(f"No compiled kernel ({reason}): {compilation.SLOWER}.")
            return
        if made is not None and not editable:
            self._carry(made, build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        del version, build_data, artifact_path
        if hasattr(self, "_folder"):
            self._folder.cleanup()

    def _carry(self, made: Path, build_data: dict[str, Any]) -> None:
        """Put the library into the wheel, which thereby belongs to one platform, and to every Python on it."""
        place = (Path("translate") / "engine" / "kernel" / made.name).as_posix()
        build_data["force_include"][str(made)] = place
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"

    @staticmethod
    def _wanted() -> bool:
        """Whether a kernel is wanted: whoever chose the reference needs none."""
        return os.environ.get("TRANSLATE_ENGINE") != "reference"


def _platform() -> str:
    """Give the platform as wheels name it: the one that $CC compiles for, if that is said, else this machine's.

    Which older systems of its kind the latter suits nobody has judged.
    """
    if "TRANSLATE_PLATFORM" in os.environ:
        return os.environ["TRANSLATE_PLATFORM"]
    names = (tag.platform for tag in sys_tags())
    return next(name for name in names if not name.startswith(("manylinux", "musllinux")))
