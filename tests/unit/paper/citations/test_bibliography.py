"""The bibliography is rendered from records alone, and nothing in a record reaches TeX as a command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from citing_run import ATTENTION, MEASURED, CitingRun

from flagstone.paper.citations.bibtex import author_text, tex_text
from flagstone.paper.citations.own_bib import bib_fields, requests_in

HOSTILE = {
    "title": "\\input{/etc/passwd} 100% of {braces & $dollars$ #1_a^b~c \\write18{rm} }}{ <script>x</script>",
    "authors": ["O'Brien"],
    "year": 2020,
    "doi": "10.1000/hostile",
}
PAPER = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{hyperref}\begin{document}x\nocite{*}"
PAPER += r"\bibliographystyle{plain}\bibliography{references}\end{document}"


def test_an_article_is_rendered_from_its_record(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED, "title": "measured MEASUREMENT"})
    assert citing.references("work").bib.endswith(
        "@article{work,\n"
        "  author = {Aspelmeyer, Markus},\n"
        "  title = {{Measured measurement}},\n"
        "  year = {2009},\n"
        "  journal = {Nature Physics},\n"
        "  volume = {5},\n"
        "  number = {1},\n"
        "  pages = {11--12},\n"
        "  doi = {10.1038/nphys1170}\n"
        "}\n"
    )


def test_a_preprint_names_its_number(citing: CitingRun) -> None:
    citing.request({"key": "work", **ATTENTION, "arxiv": "1706.03762v2"})
    bib = citing.references("work").bib
    assert "journal = {arXiv preprint arXiv:1706.03762v2}" in bib
    assert "title = {{Attention Is All You Need}}" in bib


def test_entries_stand_in_the_order_of_their_keys_and_are_the_same_each_time(citing: CitingRun) -> None:
    citing.request({"key": "b", **MEASURED}, {"key": "a", **ATTENTION, "arxiv": "1706.03762"})
    first, second = citing.references("b", "a", "b"), citing.references("a", "b")
    assert first.bib == second.bib
    assert first.bib.index("{a,") < first.bib.index("{b,")


TEXTS = [HOSTILE["title"], "}", "{", "{{}", "\\", "%", "a\nb", '"', "@", "\u202eabc", "深度学习"]
HARMLESS = ("textbackslash", "textbraceleft", "textbraceright", "textascii", "bfseries", "ensuremath")


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_steers_tex(text: str) -> None:
    plain = tex_text(text)
    depth = 0
    for letter in plain:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert depth >= 0
    assert depth == 0
    assert "\n" not in plain
    for part in plain.split("\\")[1:]:
        assert part.startswith(HARMLESS) or part[0] in "%$#_&'\"`", plain


@pytest.mark.parametrize(
    ("name", "rendered"),
    [
        ("Müller, Jörg", 'M{\\"u}ller, J{\\"o}rg'),
        ("The Sample Collaboration of Many and More", "{The Sample Collaboration of Many and More}"),
        ("O'Brien, and Sons, Ltd.", "O'Brien, {and Sons Ltd.}"),
        ("Ashish Vaswani", "Ashish Vaswani"),
    ],
)
def test_a_name_stays_one_name(name: str, rendered: str) -> None:
    assert author_text(name) == rendered


def test_hostile_records_compile_to_what_they_say(citing: CitingRun, tmp_path: Path) -> None:
    citing.request({"key": "hostile", **HOSTILE}, {"key": "umlaut", "title": "x", "doi": "10.1000/umlaut"})
    found = citing.references("hostile", "umlaut")
    assert found.rows[0].status == "VERIFIED", found.rows[0].message
    (tmp_path / "references.bib").write_text(found.bib)
    (tmp_path / "paper.tex").write_text(PAPER)
    latex = ("pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
    for command in (latex, ("bibtex", "paper"), latex, latex):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
    printed = subprocess.run(("pdftotext", "paper.pdf", "-"), cwd=tmp_path, capture_output=True, text=True).stdout
    assert "\\input{/etc/passwd} 100% of {braces & $dollars$ #1_a" in " ".join(printed.split())
    assert "root:" not in printed


def test_entries_that_something_else_wrote_are_named_and_not_used(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED})
    ours = citing.references("work").bib
    published = citing.run.workspace / "writing" / "references.bib"
    published.parent.mkdir(parents=True)
    published.write_text(ours)
    assert "not used" not in citing.references("work").checks[0].message
    published.write_text(ours.replace("2009", "1999") + "@misc{invented, title={x}}\n@article{broken, title={")
    found = citing.references("work")
    assert found.bib == ours
    assert "entries that something else wrote are not used (invented; work)" in found.checks[0].message


def test_a_persons_own_bib_is_read_past_a_broken_entry_and_a_double_key(capfd: pytest.CaptureFixture[str]) -> None:
    text = r"""
@article{muller, author = {M{\"u}ller, J{\"o}rg and Doe, Jane}, title = {On {Things}}, year = 2001,
  journal = {J}, doi = {https://doi.org/10.1/x}}
@article{broken, title = {never closed
@misc{mixup, title = {mixup}, author = {Zhang, Hongyi and others}, year = {2018}, note = {arXiv:1710.09412}}
@misc{mixup, title = {again}}
@misc{a b, title = {a key that cannot be cited}}
"""
    found, problems = requests_in(text)
    by_key = {request.key: request for request in found}
    assert by_key["muller"].authors == ("Müller, Jörg", "Doe, Jane")
    assert (by_key["muller"].year, by_key["muller"].doi, by_key["muller"].title) == (2001, "10.1/x", "On Things")
    assert (by_key["mixup"].arxiv, by_key["mixup"].authors) == ("1710.09412", ("Zhang, Hongyi",))
    assert "2 entries broken, or there twice: left out" in problems
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["@a{" * 5_000, "{" * 100_000, "\x00\xff", "@article{a, b = " + "{" * 900])
def test_what_is_no_bib_has_no_entries(text: str) -> None:
    assert bib_fields(text)[0] == {}
