"""Which run a command means, and that a mistyped name creates nothing."""

from __future__ import annotations

import shutil

from workbench import Place, Study, tree


def test_without_a_name_the_only_run_is_meant(place: Place, first: Study) -> None:
    said = place.snakemake(run=None)
    assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last
    assert place.flagstone("run").code == 0


def test_without_a_name_several_runs_are_listed_with_the_command(place: Place, first: Study) -> None:
    place.new("u")
    said = place.snakemake(run=None)
    assert said.code == 1 and not said.has_traceback
    problem, cure = said.lines[-2:]
    assert "t, u" in problem and "snakemake --config run=u --cores 4" in cure
    assert not (place.study("u").root / "stages" / "01_literature_survey.md").exists()
    said = place.flagstone("run")
    assert said.code == 2 and len(said.lines) == 2 and "t, u" in said.text


def test_a_target_without_a_name_lists_the_runs_too(place: Place, first: Study) -> None:
    place.new("u")
    said = place.snakemake("stages/03_study_design.md", run=None)
    assert said.code == 1 and "there are several runs: t, u" in said.lines[-2]
    command = said.last.removeprefix("choose one: ").split(",")[0].replace("config run=u", "config run=t")
    words = command.split()[1:]
    said = place.snakemake(*words, "stages/03_study_design.md", run=None)
    assert not said.has_traceback and "stage 03 study_design is behind a closed gate" in said.text, said.text


def test_without_any_run_the_command_that_makes_one_is_named(place: Place) -> None:
    said = place.snakemake(run=None)
    assert said.code == 1 and not said.has_traceback
    assert "there is no run yet" in said.lines[-2] and "flagstone new" in said.lines[-1]
    assert not (place.root / "runs").exists()


def test_the_project_may_name_its_default_run(place: Place, first: Study) -> None:
    place.new("u")
    config = place.root / "config" / "config.yaml"
    config.write_text(config.read_text() + "run: u\n")
    said = place.snakemake(run=None)
    assert said.code == 0 and place.study("u").built() == ["01"] and "runs/u/" in said.last


def test_latest_names_the_newest_run(place: Place, first: Study) -> None:
    place.new("u")
    place.snakemake(run="latest")
    assert place.study("u").built() == ["01"]


def test_a_mistyped_name_is_an_error_that_creates_nothing(place: Place, first: Study) -> None:
    before = tree(place.root)
    shutil.rmtree(place.root / ".snakemake", ignore_errors=True)
    for said, code in (
        (place.snakemake(run="tt"), 1),
        (place.snakemake("-n", run="tt"), 1),
        (place.flagstone("run", "tt"), 2),
        (place.flagstone("status", "tt"), 2),
    ):
        assert said.code == code and not said.has_traceback
        assert "there is no run 'tt'" in said.lines[-2] and "did you mean t?" in said.lines[-1]
    assert tree(place.root) == before


def test_a_name_that_is_a_path_is_an_error_that_creates_nothing(place: Place, first: Study) -> None:
    before = tree(place.root)
    for name in ("../t", "/tmp/t", "t/../../x", "."):
        said = place.snakemake(run=name)
        assert said.code == 1 and not said.has_traceback and "cannot be the name of a run" in said.text
        said = place.flagstone("new", name, "--goal", "x")
        assert said.code == 2 and "cannot be the name of a run" in said.text
    assert tree(place.root) == before


def test_standing_in_a_run_or_below_it_means_that_run(place: Place, first: Study) -> None:
    place.new("u")
    for here in (first.root, first.root / "workspace" / "literature"):
        said = place.flagstone("run", cwd=here)
        assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last
    first.touch("01")
    assert place.flagstone("run", cwd=first.root / "approved").code == 0
    assert first.built() == ["01", "02"] and place.study("u").built() == []


def test_from_another_folder_the_snakefile_finds_its_own_runs(place: Place, fresh: Study) -> None:
    elsewhere = place.root.parent / "elsewhere"
    elsewhere.mkdir()
    said = place.snakemake("--snakefile", str(place.root / "Snakefile"), cwd=elsewhere)
    assert said.code == 0 and fresh.built() == ["01"]
    assert said.last.endswith("touch ../project/runs/t/approved/01.flag")
    assert [path.name for path in elsewhere.iterdir()] in ([], [".snakemake"])


def test_a_new_run_says_where_it_is_and_what_comes_next(place: Place) -> None:
    said = place.flagstone("new", "attn", "--goal", "Does it work?", "--agent", "demo", "--venue", "icml_2026")
    assert said.code == 0, said.text
    assert "created runs/attn" in said.text and "snakemake --cores 4 --config run=attn" in said.last
    study = place.study("attn")
    assert study.opened.settings.venue == "icml_2026" and "Does it work?" in study.files.brief.read_text()
