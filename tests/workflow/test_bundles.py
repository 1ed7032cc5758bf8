"""Tests of bundles as people use them: packed by plain snakemake, verified on another machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from workbench import Place, Study

from flagstone.cli.jobs import release
from flagstone.gates import Messages

FLAGSTONE = Path(sys.executable).parent / "flagstone"


def verify(bundle: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Verifies as on another machine: with an empty home, and nothing of the project around."""
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    words = [FLAGSTONE, "verify", bundle.name]
    return subprocess.run(words, cwd=bundle.parent, env=environment, capture_output=True, text=True, timeout=120)


def test_plain_snakemake_packs_a_run_that_is_approved_and_does_so_once(place: Place, whole: Study) -> None:
    whole.files.bundle.unlink()
    said = place.snakemake()
    assert said.code == 0 and whole.files.bundle.is_file()
    assert "packed runs/t/bundle/t.zip, digest " in said.text and "is done" in said.last
    assert "Nothing to be done" in place.snakemake().text


def test_another_decision_packs_it_again(place: Place, whole: Study) -> None:
    before = whole.files.bundle.read_bytes()
    assert place.flagstone("rollback", "08", "--run", "t").code == 0
    assert place.snakemake().code == 0 and whole.files.bundle.read_bytes() == before  # not while a gate is closed
    assert place.flagstone("approve", "08", "--run", "t").code == 0
    assert place.snakemake().code == 0 and whole.files.bundle.read_bytes() != before


def test_a_bundle_holds_on_another_machine_without_the_run(place: Place, whole: Study, tmp_path: Path) -> None:
    bundle = tmp_path / "elsewhere" / "t.zip"
    bundle.parent.mkdir()
    shutil.move(whole.files.bundle, bundle)
    shutil.rmtree(place.root)
    said = verify(bundle, tmp_path / "home")
    assert said.returncode == 0 and "✗" not in said.stdout, said.stdout + said.stderr
    assert {"digests", "chains", "seals"} <= {line.split()[1] for line in said.stdout.splitlines() if line[0] == "✓"}
    assert list((tmp_path / "home").iterdir()) == [] and sorted(bundle.parent.iterdir()) == [bundle]


def test_what_was_changed_after_the_approval_is_told_with_exit_code_3(
    place: Place, whole: Study, tmp_path: Path
) -> None:
    (whole.files.workspace / "artifacts" / "release_notes.md").write_text("better notes\n")
    packed = place.flagstone("bundle", "t", "--to", str(tmp_path / "changed.zip"))
    assert packed.code == 0 and "note: it does not hold (seals); the next command says what and why" in packed.text
    assert release.main([str(whole.files.packed)]) == 0
    words = Messages(whole.files, place.root).of_bundle()
    assert words[1:] == ["note: it does not hold (seals); flagstone verify runs/t/bundle/t.zip says what and why"]
    said = place.flagstone("verify", str(tmp_path / "changed.zip"))
    assert (
        said.code == 3 and "✗ seals" in said.text and "release_notes.md is not what the seal of stage 08" in said.text
    )


def test_a_run_that_has_only_begun_says_what_is_missing(place: Place, first: Study, tmp_path: Path) -> None:
    said = place.flagstone("bundle", "t", "--to", str(tmp_path / "early.zip"))
    assert said.code == 0
    words = ["unzip", "-p", str(tmp_path / "early.zip"), "README.md"]
    page = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "- stage 01_literature_survey is not approved" in page and "- there is no paper" in page
    said = place.flagstone("verify", str(tmp_path / "early.zip"))
    assert said.code == 0 and "– seals" in said.text and "no stage was approved" in said.text
