"""A paper that Flagstone did not make is held against a folder of results. The report never says that all is well."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from flagstone.cli.main import flagstone
from flagstone.errors import FlagstoneError
from flagstone.paper.auditing import ForeignReport, audit_foreign

HEAD = "\\documentclass{%s}\\usepackage{graphicx}\n\\begin{document}\n"


def pdf_of(folder: Path, body: str, document_class: str = "article") -> Path:
    (folder / "paper.tex").write_text(HEAD % document_class + body + "\n\\end{document}\n")
    argv = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1000:]
    return folder / "paper.pdf"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    for seed, loss in ((1, 1.4655), (2, 1.4712), (3, 1.4601)):
        run = folder / f"run_{seed}"
        run.mkdir(parents=True)
        (run / "metrics.json").write_text(json.dumps({"loss": loss, "accuracy": 0.9312 + seed / 1000}))
    (folder / "single.json").write_text(json.dumps({"kl": 2.371}))
    (folder / "table.csv").write_text("arm,seed,steps\ntreated,1,4312\ntreated,2,4871\ncontrol,1,5920\n")
    (folder / "train.py").write_text("lr = 0.0003\n")
    return folder


def report_of(tmp_path: Path, results: Path, body: str) -> ForeignReport:
    return audit_foreign(pdf_of(tmp_path, body), results)


def statuses(report: ForeignReport) -> dict[str, str]:
    return {each.number.text: each.status for each in report.numbers}


def test_each_number_has_a_status(tmp_path: Path, results: Path) -> None:
    text = "Loss 1.4655, accuracy 93.22\\%, steps 4,312 and 5920, a rate of 0.0003, of 5 runs, and 7.77 or 1608 less."
    found = statuses(report_of(tmp_path, results, text))
    assert found["1.4655"] == found["93.22"] == found["4,312"] == "backed"
    assert found["0.0003"] == found["5"] == "constant"
    assert found["1608"] == "derivable"
    assert found["7.77"] == "unbacked"


def test_a_cell_of_a_table_is_no_structure_and_the_mean_of_the_seeds_is_derived(tmp_path: Path, results: Path) -> None:
    table = (
        "\\begin{table}\\begin{tabular}{ll} a & 90.75\\\\ b & 88.31\\\\ c & 47\\end{tabular}\\caption{T}\\end{table}"
    )
    sections = "\\section{One}\\subsection{Two}\\subsection{Three} Loss 1.4656."
    found = statuses(report_of(tmp_path, results, table + sections))
    assert found["90.75"] == found["88.31"] == found["47"] == "unbacked"
    assert found["1.4656"] == "derivable"
    assert not {"1.1", "1.2"} & found.keys()


def test_a_number_says_where_it_was_found_and_what_luck_would_find(tmp_path: Path, results: Path) -> None:
    report = report_of(tmp_path, results, "Loss 1.4655 or 1.5.")
    long, short = report.numbers
    assert long.source.startswith("run_1/metrics.json#/loss")
    assert long.chance < 0.001 < 0.01 < short.chance
    assert report.backed_by_luck == long.chance + short.chance


def test_in_a_large_folder_few_digits_are_backed_by_luck(tmp_path: Path, results: Path) -> None:
    (results / "curve.json").write_text(json.dumps([number / 1000 for number in range(1000)]))
    (traced,) = report_of(tmp_path, results, "Loss 0.37.").numbers
    assert traced.status == "backed" and traced.chance == 1.0


def test_structure_and_references_are_no_results(tmp_path: Path, results: Path) -> None:
    body = (
        "\\section{One}\\subsection{Two}See Section 3.7, Figure 14, Eq.~(15) and [16, 17] with ResNet50.\n"
        "\\begin{thebibliography}{9}\\bibitem{a} A. Author, 2.71828.\\end{thebibliography}"
    )
    assert statuses(report_of(tmp_path, results, body)) == {}


def test_a_spread_of_one_value_is_named(tmp_path: Path, results: Path) -> None:
    (spread,) = report_of(tmp_path, results, "KL is $2.371 \\pm 0.012$.").spreads
    assert "n = 1: the results have one value with this mean, single.json#/kl" in spread


def test_a_spread_is_held_against_the_sd_of_its_seeds(tmp_path: Path, results: Path) -> None:
    assert report_of(tmp_path, results, "Loss $1.4656 \\pm 0.0056$.").spreads == ()
    (spread,) = report_of(tmp_path, results, "Loss $1.4656 \\pm 0.0015$.").spreads
    assert "the sd with divisor n, divided by n, of the 3 values of run_*/metrics.json#/loss" in spread
    (spread,) = report_of(tmp_path, results, "Loss $1.4656 \\pm 0.1234$.").spreads
    assert "this is neither the sd nor the standard error" in spread


def test_a_picture_that_stands_twice_is_named(tmp_path: Path, results: Path) -> None:
    from PIL import Image

    picture = Image.effect_mandelbrot((120, 90), (-2, -1, 1, 1), 40)
    picture.save(tmp_path / "a.png")
    picture.resize((200, 150)).save(tmp_path / "b.png")
    body = "\\includegraphics[width=2cm]{a.png}\\newpage x\\includegraphics[width=2cm]{b.png}"
    (found,) = report_of(tmp_path, results, body).figures
    assert found == "pictures that look the same stand 2 times, on page 1, 2"


def test_one_picture_with_two_names_among_the_results_is_named(tmp_path: Path, results: Path) -> None:
    for name in ("loss.png", "accuracy.png"):
        (results / name).write_bytes(b"the same")
    assert report_of(tmp_path, results, "Words.").figures == (
        "one picture has several names among the results: accuracy.png, loss.png",
    )


def test_the_command_reports_and_never_says_that_all_is_well(tmp_path: Path, results: Path) -> None:
    pdf = pdf_of(tmp_path, "Loss 1.4655 and 7.77.")
    done = CliRunner().invoke(flagstone, ["paper", "audit", str(pdf), "--results", str(results)])
    assert done.exit_code == 0
    assert "2 numbers before the references: 1 backed, 0 derivable, 0 constant, 1 unbacked" in done.output
    assert "page 1: 7.77 in" in done.output
    assert "It does not say that the rest is right" in done.output
    assert "clean" not in done.output


def test_json_lists_every_number(tmp_path: Path, results: Path) -> None:
    pdf = pdf_of(tmp_path, "Loss 1.4655 and 7.77.")
    done = CliRunner().invoke(flagstone, ["paper", "audit", str(pdf), "--results", str(results), "--json"])
    found = json.loads(done.output)
    assert [each["status"] for each in found["numbers"]] == ["backed", "unbacked"]
    assert found["counts"] == {"backed": 1, "unbacked": 1}


def test_a_file_that_is_no_pdf_is_the_users_to_fix(tmp_path: Path, results: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"no")
    with pytest.raises(FlagstoneError, match=r"broken\.pdf cannot be audited"):
        audit_foreign(tmp_path / "broken.pdf", results)


@pytest.mark.parametrize("document_class", ["IEEEtran", "acmart", "llncs", "elsarticle", "revtex4-2"])
def test_papers_of_other_classes_are_read(tmp_path: Path, results: Path, document_class: str) -> None:
    body = "\\title{T}\\author{A}\\maketitle Loss 1.4655 and 7.77."
    found = statuses(audit_foreign(pdf_of(tmp_path, body, document_class), results))
    assert (found["1.4655"], found["7.77"]) == ("backed", "unbacked")
