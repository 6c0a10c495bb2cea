"""Every notebook runs, from its own folder, and shows itself without the network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BYTES_MAX = 300_000

# What makes a browser load something: sources, style sheets, imports. A mere link does not.
LOADS = re.compile(r"""(?:src|srcset)\s*=\s*["']?\s*(?:https?:)?//|<link\b|@import|url\(\s*["']?(?:https?:)?//|require\.config""")
MACHINE_PATHS = re.compile(r"/(?:home|root|tmp|work|Users|private|var/folders)/|[A-Z]:\\\\")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@every_notebook
def test_runs(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    assert network_loads(notebook) == []


@every_notebook
def test_is_kept_with_its_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error" or output.get("name") == "stderr"]


@every_notebook
def test_loads_nothing_from_the_network(path):
    assert network_loads(nbformat.read(path, as_version=4)) == []


@every_notebook
def test_is_small_and_names_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < BYTES_MAX
    assert MACHINE_PATHS.findall(without_pictures(text)) == []


def test_there_are_notebooks():
    assert NOTEBOOKS


def network_loads(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return LOADS.findall(without_pictures(json.dumps(outputs)))


def without_pictures(text):
    return re.sub(r'"image/png": "[^"]*"', "", text)
