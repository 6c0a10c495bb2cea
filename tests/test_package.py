"""The wheel carries what the package needs, and works from anywhere; so does a plain checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAPPINGS = sorted(
    path.relative_to(ROOT / "mappings").as_posix() for path in (ROOT / "mappings").rglob("*.toml")
)
ASK = """
import json
from pathlib import Path
import translate
from translate import mapping, recipe
models = mapping.models()
layouts = [layout.address for model in models for layout in mapping.load(model).layouts.values()]
recipes = [recipe.load(name).to for name in recipe.names()]
print(json.dumps({
    "package": str(Path(translate.__file__).parent), "folder": str(mapping.folder()), "version": translate.__version__,
    "models": models, "layouts": layouts, "recipes": len(recipes),
}))
"""


def run(*arguments, cwd, path=None):
    """Run Python in a clean process; give its standard output."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")
    }
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (file,) = folder.glob("*.whl")
    return file


@pytest.mark.slow
def test_wheel_holds_what_it_needs(wheel):
    """The wheel holds every module, mapping and recipe of the checkout, the licence, and nothing beside the package."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        mappings = {
            name.removeprefix("translate/mappings/"): archive.read(name)
            for name in names
            if name.startswith("translate/mappings/")
        }
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "translate").rglob("*.py")}
    assert modules <= set(names)
    assert sorted(mappings) == MAPPINGS != []
    assert all(content == (ROOT / "mappings" / name).read_bytes() for name, content in mappings.items())
    assert any("recipes/" in name for name in mappings)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"translate", "translate_events"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_wheel_works_from_anywhere(wheel, tmp_path):
    """An unpacked wheel, called from a folder with neither checkout nor mappings, loads its own mappings and recipes."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:  # what `pip install --no-deps --target` does, without the network
        archive.extractall(site)
    answer = json.loads(run("-c", ASK, cwd=elsewhere, path=site))
    assert Path(answer["package"]) == site / "translate"
    assert Path(answer["folder"]) == site / "translate" / "mappings"
    assert answer["models"] == [Path(name).stem for name in MAPPINGS if "/" not in name]
    assert answer["recipes"] == sum(name.startswith("recipes/") for name in MAPPINGS)
    assert len(answer["layouts"]) >= len(answer["models"])


@pytest.mark.slow
def test_wheel_converts(wheel, tmp_path):
    """An unpacked wheel converts a file by its command line."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    sample = ROOT / "sample_data" / "mobile_analytics" / "archive_full.jsonl"
    run(
        "-m",
        "translate",
        "convert",
        str(sample),
        "--to",
        "clickstream",
        "--out",
        "out",
        cwd=tmp_path,
        path=site,
    )
    assert json.loads((tmp_path / "out" / "report.json").read_text())["events"]["written"] == 2


def test_checkout_works_from_anywhere(tmp_path):
    """A plain checkout on the path, called from another folder, loads the mappings beside it."""
    answer = json.loads(run("-c", ASK, cwd=tmp_path, path=ROOT))
    assert Path(answer["folder"]) == ROOT / "mappings"
    assert answer["models"] == [Path(name).stem for name in MAPPINGS if "/" not in name]


def test_checkout_has_no_copy_of_the_mappings():
    """No copy of the mappings lies in the checkout's package, where it would hide the ones beside it."""
    assert not (ROOT / "translate" / "mappings").exists()


@pytest.mark.slow
def test_versions_agree(wheel, tmp_path):
    """The wheel's metadata and the package name the same version."""
    name, version, *_ = wheel.name.split("-")
    assert name == "translate_events"
    assert json.loads(run("-c", ASK, cwd=tmp_path, path=ROOT))["version"] == version
