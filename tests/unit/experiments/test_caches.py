"""The private folder of a run: links to the person's caches, whatever the run before has made of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flagstone.experiments.measuring.caches import cache_variables


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for path in (".cache/mine/x", ".cache/huggingface/hub/model/weights", ".cache/huggingface/hub/model/a.lock"):
        (tmp_path / "home" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / path).write_text("theirs")
    return tmp_path / "home"


def variables(home: Path, private: Path) -> dict[str, str]:
    return cache_variables(private, {"HOME": str(home)}, is_confined=True, network=False)


def content_below(private: Path) -> dict[str, str]:
    return {
        str(path.relative_to(private)): os.readlink(path) if path.is_symlink() else ""
        for path in sorted(private.rglob("*"))
    }


def test_a_run_finds_models_through_links_and_can_lock_beside_them(home: Path, tmp_path: Path) -> None:
    found = variables(home, tmp_path / "private")
    model = Path(found["HF_HOME"]) / "hub" / "model"
    assert (model / "weights").read_text() == "theirs"
    (model / "a.lock").write_text("mine")
    assert (home / ".cache/huggingface/hub/model/a.lock").read_text() == "theirs"
    assert (Path(found["XDG_CACHE_HOME"]) / "mine" / "x").read_text() == "theirs"


def test_links_that_are_right_are_kept(home: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    variables(home, private)
    before = {path: os.lstat(path).st_ino for path in private.rglob("*")}
    variables(home, private)
    assert {path: os.lstat(path).st_ino for path in private.rglob("*")} == before


def test_nothing_of_a_run_reaches_the_next_through_its_caches(home: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    variables(home, private)
    fresh = content_below(private)
    model = private / "hf_home" / "hub" / "model"
    (model / "weights").unlink()
    (model / "weights").write_text("of a run")
    (model / "a.lock").write_text("of a run")
    (private / "cache" / "mine").unlink()
    (private / "cache" / "mine").symlink_to("/etc")
    (private / "cache" / "further").mkdir()
    (private / "matplotlib").mkdir()
    (private / "hf_home" / "hub").chmod(0o500)
    variables(home, private)
    assert content_below(private) == fresh


def test_a_link_in_place_of_the_folder_of_links_leads_nowhere(home: Path, tmp_path: Path) -> None:
    private, theirs = tmp_path / "private", tmp_path / "theirs"
    variables(home, private)
    fresh = content_below(private)
    theirs.mkdir()
    (theirs / "precious").write_text("stays")
    for name in ("cache", "hf_home"):
        (private / name).rename(tmp_path / f"moved-{name}")
        (private / name).symlink_to(theirs)
    variables(home, private)
    assert (theirs / "precious").read_text() == "stays"
    assert content_below(private) == fresh


def test_what_the_person_added_since_is_found(home: Path, tmp_path: Path) -> None:
    variables(home, tmp_path / "private")
    (home / ".cache" / "huggingface" / "hub" / "another").mkdir()
    (home / ".cache" / "huggingface" / "hub" / "another" / "weights").write_text("theirs")
    found = variables(home, tmp_path / "private")
    assert (Path(found["HF_HOME"]) / "hub" / "another" / "weights").read_text() == "theirs"


AS_ANOTHER_USER = """
import os, subprocess, sys
from pathlib import Path
from flagstone.experiments.candidates import make_empty_folder
os.setgroups([]); os.setgid(65534); os.setuid(65534)
private = Path(sys.argv[1])
os.chdir(private)
for _ in range(250):
    os.mkdir("a folder in a folder"); os.chdir("a folder in a folder")
Path("file").write_text("left"); os.chmod(".", 0o400)
os.chdir("/")
make_empty_folder(private)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_closed_folder_deeper_than_a_path_can_name_is_removed() -> None:
    with tempfile.TemporaryDirectory() as name:
        private = Path(name) / "above" / "private"
        private.mkdir(parents=True)
        for folder in (Path(name), private.parent, private):
            folder.chmod(0o777)
        os.chown(private, 65534, 65534)
        done = subprocess.run([sys.executable, "-c", AS_ANOTHER_USER, str(private)], capture_output=True, text=True)
        left = list(private.iterdir())
        subprocess.run(["rm", "-rf", str(private)])
        assert (done.returncode, left) == (0, []), done.stderr[-500:]


def test_nltk_reads_its_own_folder_because_it_refuses_links_out_of_it(home: Path, tmp_path: Path) -> None:
    (home / "nltk_data" / "corpora").mkdir(parents=True)
    assert variables(home, tmp_path / "private")["NLTK_DATA"] == str(home / "nltk_data")
