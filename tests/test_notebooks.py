"""Every notebook runs, from its own folder, and shows itself without the network."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import translate

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WITH_CHARTS = {"explore_archive"}
BYTES_MAX = 300_000
CELLS_MAX = 45
DRAWING, PICTURE = "application/vnd.vegalite.v5+json", "image/png"

# What makes a browser load something: sources, style sheets, imports. A mere link does not.
LOADS = re.compile(
    r"""(?:src|srcset)\s*=\s*["']?\s*(?:https?:)?//|<(?:link|script|iframe)\b|@import|url\(\s*["']?(?:https?:)?//|require\.config"""
)
MACHINE_PATHS = re.compile(r"/(?:home|root|tmp|work|Users|private|var/folders)/|[A-Z]:\\\\")
ADDRESSES = re.compile(r"\bat 0x[0-9a-f]{6,}")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

# Nothing that a notebook does may leave the machine: the kernel refuses every other address, and every name.
OFFLINE = """
import socket

_connect, _lookup = socket.socket.connect, socket.getaddrinfo

def _only_here(host):
    if host not in ("127.0.0.1", "::1", "localhost", None, ""):
        raise AssertionError(f"a notebook asked for {host}")

def connect(self, address):
    if isinstance(address, tuple):
        _only_here(address[0])
    return _connect(self, address)

def getaddrinfo(host, *more, **named):
    _only_here(host)
    return _lookup(host, *more, **named)

socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
"""


@pytest.fixture
def offline(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))


@every_notebook
def test_runs(path, offline):
    """It runs to its end without the network, says nothing on standard error, and shows what it is kept with."""
    before = set(path.parent.iterdir())
    notebook = read(path)
    run(notebook, path.parent)
    assert faults(notebook) == []
    assert network_loads(notebook) == []
    assert [without_picture(cell) for cell in code(notebook)] == [
        without_picture(cell) for cell in code(read(path))
    ]
    assert set(path.parent.iterdir()) == before


@every_notebook
def test_is_kept_with_its_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    shown = {kind for cell in code(notebook) for kind in kinds(cell)}
    assert "text/html" in shown
    assert (DRAWING in shown) == (path.stem in WITH_CHARTS)
    assert faults(notebook) == []


@every_notebook
def test_loads_nothing_from_the_network(path):
    assert network_loads(read(path)) == []


@every_notebook
def test_charts_appear_on_opening(path):
    """JupyterLab draws them itself, from figures inside the notebook; elsewhere the picture is shown that it put beside."""
    outputs = [output["data"] for cell in code(read(path)) for output in cell.outputs if "data" in output]
    assert "<svg" not in json.dumps(outputs)  # JupyterLab takes these out of what it did not run itself
    assert [PICTURE in data for data in outputs] == [DRAWING in data for data in outputs]
    drawings = [data[DRAWING] for data in outputs if DRAWING in data]
    assert [chart for chart in drawings if "tooltip" not in json.dumps(chart)] == []
    assert [chart for chart in drawings if '"url"' in json.dumps(chart)] == []


@every_notebook
def test_is_small_and_names_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < BYTES_MAX
    assert len(read(path).cells) <= CELLS_MAX
    assert MACHINE_PATHS.findall(without_pictures(text)) == []
    assert ADDRESSES.findall(text) == []


@every_notebook
def test_is_a_template(path):
    """What one has to change stands in the first cell of code; a link leads to a notebook that is there."""
    notebook = read(path)
    first, *rest = code(notebook)
    assert "sample_data" in first.source
    assert not [cell.source for cell in rest if "sample_data" in cell.source]
    links = [link for cell in notebook.cells for link in re.findall(r"\]\(([^)]+\.ipynb)\)", cell.source)]
    assert [link for link in links if not (path.parent / link).is_file()] == []


@every_notebook
def test_imports_the_product_only(path):
    """Nothing inside of the package is asked for: what a notebook needs is a call that anyone has."""
    imported = {
        name
        for cell in code(read(path))
        for node in ast.walk(ast.parse(cell.source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.startswith("translate.")
    }
    assert imported <= {f"translate.{name}" for name in dir(translate)}


@every_notebook
def test_calls_nothing_private(path):
    assert [cell.source for cell in code(read(path)) if re.search(r"\._\w", cell.source)] == []


@every_notebook
def test_reports_are_tables(path):
    """No output is the representation of a dict or of an object."""
    data = [output.data for cell in code(read(path)) for output in cell.outputs if "data" in output]
    bare = [shown["text/plain"] for shown in data if not {"text/html", "text/markdown", PICTURE} & set(shown)]
    assert [text[:80] for text in bare if text.startswith(("{", "[{", "<"))] == []


def test_the_runbook_is_signed_off():
    """Each check of the page passed on the sample, and the failure of one would show."""
    page = "".join(
        output["data"].get("text/html", "")
        for output in code(read(ROOT / "notebooks/mobile_analytics_to_clickstream.ipynb"))[-1].outputs
    )
    assert len(re.findall(r">yes<", page)) >= 5
    assert ">no<" not in page
    assert "signature" in page


@pytest.mark.parametrize(
    "command", ["create-schema", "create-dataset", "create-dataset-import-job", "describe-dataset-import-job"]
)
def test_the_printed_commands_are_commands(command, tmp_path, monkeypatch):
    """The AWS CLI takes each line as it is printed; it checks the parameters and sends nothing."""
    (tmp_path / "interactions").mkdir()
    (tmp_path / "interactions/schema.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    lines = [line for line in printed_commands() if line.startswith(f"aws personalize {command} ")]
    assert len(lines) == 1
    called = [sys.executable, "-m", "awscli", *shlex.split(lines[0])[1:], "--generate-cli-skeleton", "output"]
    done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_import_takes_what_was_copied():
    """The rows are copied to where the job looks for them, and the schema is not among them."""
    copy = next(line for line in printed_commands() if line.startswith("aws s3 cp "))
    _, _, _, source, target, *options = shlex.split(copy)
    assert source.endswith("/data/")
    assert target.endswith("/")
    assert options == ["--recursive"]
    assert f"--data-source dataLocation={target}" in "".join(printed_commands())


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {
        "explore_archive", "mobile_analytics_to_clickstream", "mobile_analytics_to_personalize", "pinpoint_to_clickstream_raw",
    }  # fmt: skip


# -- what a notebook holds ------------------------------------------------------------------------------------------


def read(path):
    return nbformat.read(path, as_version=4)


def run(notebook, folder):
    NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell):
    return [
        kind
        for output in cell.outputs
        for kind in (sorted(output["data"]) if "data" in output else [output.output_type])
    ]


def without_picture(cell):
    """Give the kinds of what a cell shows but for the pictures of drawings: JupyterLab adds these when it saves."""
    return [kind for kind in kinds(cell) if kind != PICTURE]


def faults(notebook):
    return [
        output
        for cell in code(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def printed_commands():
    notebook = read(ROOT / "notebooks/mobile_analytics_to_personalize.ipynb")
    text = "".join(
        output.text for cell in code(notebook) for output in cell.outputs if output.get("name") == "stdout"
    )
    return [line for line in text.replace("\\\n", "").splitlines() if line.startswith("aws ")]


def network_loads(notebook):
    return LOADS.findall(without_pictures(json.dumps([cell.outputs for cell in code(notebook)])))


def without_pictures(text):
    return re.sub(r'"image/png": "[^"]*"', "", text)
