"""Which engine runs: the environment insists on one, else the kernel where it was compiled."""

from __future__ import annotations

import os

import pytest
from commands import run_here

from translate.engine import build, choice
from translate.errors import UsageError

SOURCE = '__attribute__((visibility("default"))) int answer(void) { return 42; }\n'


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A folder for sources and libraries of the tests' own, and nothing loaded yet."""
    monkeypatch.delenv(choice.CHOICE, raising=False)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(choice, "FILES", {"kernel": tmp_path / "kernel.so"})
    choice._load.cache_clear()
    yield tmp_path
    choice._load.cache_clear()


def compiled(kernels):
    (kernels / "answer.c").write_text(SOURCE)
    return build.build(kernels / "kernel.so", strict=True)


def test_the_kernel_runs_where_there_is_one(kernels):
    """A compiled kernel is loaded, and --version names it."""
    compiled(kernels)
    assert choice.library().answer() == 42
    output, _, code = run_here(["translate", "--version"])
    assert (output.partition("(")[2], code) == ("engine: kernel)\n", 0)


def test_the_reference_runs_where_there_is_none(kernels):
    """Without a compiled kernel the reference runs, and --version says that it is slower."""
    assert choice.library() is None
    output, _, code = run_here(["translate", "--version"])
    assert (output.partition("(")[2], code) == ("engine: reference, slower: no compiled kernel)\n", 0)


def test_the_reference_runs_where_it_is_asked_for(kernels, monkeypatch):
    """The environment can ask for the reference although there is a kernel."""
    compiled(kernels)
    monkeypatch.setenv(choice.CHOICE, "reference")
    assert choice.library() is None
    assert choice.engine() == "engine: reference, slower: TRANSLATE_ENGINE asks for it"


@pytest.mark.parametrize(
    ("asked", "told"), [("kernel", "no compiled kernel"), ("kernl", 'did you mean "kernel"?')]
)
def test_what_is_not_there_is_refused(kernels, monkeypatch, asked, told):
    """Whoever insists on an engine that is not there is told so, by every command, before anything else."""
    monkeypatch.setenv(choice.CHOICE, asked)
    with pytest.raises(UsageError, match="TRANSLATE_ENGINE"):
        choice.library()
    output, error, code = run_here(["translate", "models"])
    assert (output, code) == ("", 2)
    assert told in error


def test_an_outdated_kernel_does_not_run(kernels):
    """A kernel older than its sources may not know what they call: it is not loaded, and that is said."""
    made = compiled(kernels)
    os.utime(made, ns=(0, 0))
    assert choice.library() is None
    assert choice.engine() == "engine: reference, slower: the compiled kernel is older than its sources"


def test_a_kernel_of_another_machine_does_not_run(kernels):
    """A file that cannot be loaded is no kernel."""
    (kernels / "kernel.so").write_bytes(b"\x7fELF of another machine")
    assert choice.engine() == "engine: reference, slower: the compiled kernel does not load on this machine"
