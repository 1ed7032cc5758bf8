"""Every status that a cited work can have, and what each registry says that is easily taken wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from citing_run import ATTENTION, MEASURED, CitingRun
from registry_server import Play

NO_NOTICE = "filter=updates"


def quiet(title: str, doi: str) -> dict[str, Any]:
    return {"title": title, "authors": ["Quiet, Ann"], "year": 2015, "doi": doi}


@pytest.mark.parametrize(
    "asked",
    [
        MEASURED,
        {**MEASURED, "doi": "https://doi.org/10.1038/NPHYS1170".replace("NPHYS", "nphys")},
        {**MEASURED, "year": 2010},
        {**MEASURED, "title": "{Measured} \\emph{measurement}.", "authors": ["Markus Aspelmeyer"]},
        {**MEASURED, "venue": "Nature Phys"},
        {**MEASURED, "venue": "Nat. Physics"},
        {**ATTENTION, "doi": "10.48550/arXiv.1706.03762"},
        {**ATTENTION, "arxiv": "1706.03762"},
        {**ATTENTION, "arxiv": "arXiv:1706.03762v2"},
        {
            "title": 'Uber die Gr{\\"o}\\ss{}e der Schr\\"odinger-Gleichung',
            "authors": ['M{\\"u}ller-{\\L}ukasiewicz, J{\\"o}rg'],
            "year": 1926,
            "doi": "10.1000/umlaut",
        },
        {"title": "A data set", "authors": ["The Sample Collaboration"], "year": 2021, "doi": "10.5281/zenodo.1"},
        {"title": "A work of another agency", "authors": ["Yamada, Hanako"], "year": 2011, "doi": "10.1000/elsewhere"},
        {"title": "Schrödinger α-operators", "authors": ["Müller, Jérôme"], "year": 1999, "arxiv": "hep-th/9901001"},
    ],
)
def test_a_work_that_is_described_rightly_is_verified(citing: CitingRun, asked: dict[str, Any]) -> None:
    row = citing.row(**asked)
    assert row.status == "VERIFIED", row.message


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"year": 2001}, "the year is 2009, not 2001"),
        ({"year": None}, "no year is given: it is 2009"),
        ({"authors": ["Zeilinger, Anton"]}, "the first author is Aspelmeyer, Markus, not Zeilinger, Anton"),
        ({"authors": []}, "no author is given: the first one is Aspelmeyer, Markus"),
        ({"venue": "The Lancet"}, "the venue is “Nature Physics”, not “The Lancet”"),
    ],
)
def test_the_right_work_with_a_wrong_word_is_misdescribed_and_rendered_from_its_record(
    citing: CitingRun, changed: dict[str, Any], says: str
) -> None:
    citing.request({"key": "work", **MEASURED, **changed})
    found = citing.references("work")
    assert found.rows[0].status == "MISDESCRIBED"
    assert says in found.rows[0].message
    assert "Aspelmeyer, Markus" in found.bib
    assert "year = {2009}" in found.bib
    assert found.checks[0].status == "failed"


def test_a_real_identifier_of_another_work_is_a_mismatch(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED, "title": "A quite different work about nothing"})
    found = citing.references("work")
    assert found.rows[0].status == "MISMATCH"
    assert "doi:10.1038/nphys1170 is another work: “Measured measurement”" in found.rows[0].message
    assert "Aspelmeyer, Markus" in found.bib  # who was asked for, under a mark
    assert "[MISMATCH: not verified]" in found.bib


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({**MEASURED, "doi": "10.1000/invented"}, "doi.org knows no DOI 10.1000/invented"),
        ({**MEASURED, "doi": "10.1000/two\nlines"}, "is no DOI"),
        ({**MEASURED, "doi": "nphys1170"}, "is no DOI"),
        ({**ATTENTION, "arxiv": "9999.99999"}, "arXiv knows no 9999.99999"),
        ({**ATTENTION, "arxiv": "2101.00001"}, "arXiv knows no 2101.00001"),
        ({**ATTENTION, "arxiv": "1706.03762; rm"}, "is no number of arXiv"),
        ({"title": "A work that nobody wrote", "authors": ["Nobody, N."], "year": 2020}, "no two registries know"),
        ({}, "has no request for it"),
    ],
)
def test_what_does_not_exist_is_not_found(citing: CitingRun, asked: dict[str, Any], says: str) -> None:
    row = citing.row(**asked)
    assert row.status == "NOT_FOUND"
    assert says in row.message


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {
                "title": "Ileal-lymphoid-nodular hyperplasia, non-specific colitis, and pervasive developmental "
                "disorder in children",
                "authors": ["Wakefield, A. J."],
                "year": 1998,
                "doi": "10.1016/S0140-6736(97)11096-0",
            },
            "Crossref lists its retraction, 10.1016/s0140-6736(10)60175-4",
        ),
        (quiet("A result that only a notice takes back", "10.1000/reverse"), "a notice at Crossref retracts it"),
        (quiet("A result that only OpenAlex marks", "10.1000/flagged"), "OpenAlex marks it as retracted"),
        (
            {"title": "A Theorem That Has a Gap", "authors": ["Gaps, Ada"], "year": 2021, "arxiv": "2101.00002"},
            "This paper has been withdrawn by the author",
        ),
    ],
)
def test_each_sign_of_a_retraction_counts(citing: CitingRun, asked: dict[str, Any], says: str) -> None:
    row = citing.row(**asked)
    assert row.status == "RETRACTED"
    assert says in row.message


@pytest.mark.parametrize(
    ("title", "comment"),
    [("Withdrawn-Item Effects in Tests", ""), ("A Theorem", "12 pages; deformation retraction added")],
)
def test_a_word_that_sounds_like_a_retraction_is_none(citing: CitingRun, title: str, comment: str) -> None:
    name = "arxiv /api/query?id_list=1706.03762"
    feed = citing.server.answers[name]["body"].replace("Attention Is All\n  You Need", title)
    told = f'<arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">{comment}</arxiv:comment></entry>'
    citing.server.answers[name] = {"body": feed.replace("</entry>", told)}
    row = citing.row(title=title, authors=["Vaswani, A."], year=2017, arxiv="1706.03762")
    assert row.status == "VERIFIED", row.message


def test_the_notice_of_a_retraction_is_not_retracted_itself(citing: CitingRun) -> None:
    row = citing.row(
        title="Retraction notice: A result that only a notice takes back",
        authors=["Editor, The"],
        year=2016,
        doi="10.1000/notice",
    )
    assert row.status == "VERIFIED", row.message


def test_a_comma_in_a_doi_is_no_proof_that_nothing_retracts_it(citing: CitingRun) -> None:
    row = citing.row(title="A work with a comma", authors=["Comma, C."], year=2012, doi="10.1000/a,b")
    assert row.status == "UNREACHABLE"
    assert "whether it was retracted is not known: Crossref refused the question (HTTP 400)" in row.message


def test_a_flag_at_openalex_counts_even_if_crossref_does_not_answer_about_notices(citing: CitingRun) -> None:
    name = next(name for name in citing.server.answers if NO_NOTICE in name and "flagged" in name)
    citing.server.always[name] = Play(500)
    assert citing.row(**quiet("A result that only OpenAlex marks", "10.1000/flagged")).status == "RETRACTED"


def test_a_doi_is_asked_for_whole(citing: CitingRun) -> None:
    citing.row(title="x", doi="10.1016/S0140-6736(97)11096-0")
    assert "doi.org /doiRA/10.1016%2FS0140-6736%2897%2911096-0" in citing.server.asked


def test_the_dois_of_arxiv_are_not_asked_for_at_crossref(citing: CitingRun) -> None:
    citing.row(**ATTENTION, doi="10.48550/arXiv.1706.03762")
    assert not [name for name in citing.server.asked if name.startswith("crossref")]


def test_another_version_than_the_one_that_was_asked_for_is_no_answer(citing: CitingRun) -> None:
    row = citing.row(**ATTENTION, arxiv="1706.03762v3")
    assert row.status == "UNREACHABLE"
    assert "arXiv answered about arXiv:1706.03762v7, not about 1706.03762v3" in row.message


def test_a_title_that_two_registries_know_has_no_id_and_is_told_which_one_to_name(citing: CitingRun) -> None:
    row = citing.row(title="A work without an identifier", authors=["Nameless, Nora"], year=2014)
    assert row.status == "NO_ID"
    assert "found as doi:10.1000/noid: name this identifier" in row.message


def test_a_title_that_one_registry_knows_while_another_is_away_is_unreachable(citing: CitingRun) -> None:
    citing.server.always |= {"openalex": Play(500), "semantic_scholar": Play(429)}
    row = citing.row(title="A work without an identifier", authors=["Nameless, Nora"], year=2014)
    assert row.status == "UNREACHABLE"


def test_semantic_scholar_is_left_out_when_it_is_busy(citing: CitingRun) -> None:
    citing.server.always["semantic_scholar"] = Play(429)
    row = citing.row(title="A work without an identifier", authors=["Nameless, Nora"], year=2014)
    assert row.status == "NO_ID"
    assert len([name for name in citing.server.asked if name.startswith("semantic_scholar")]) == 1


def test_a_doi_that_its_agency_does_not_know_was_not_invented(citing: CitingRun) -> None:
    row = citing.row(title="Lost", authors=["A, B"], year=2000, doi="10.1000/lost")
    assert row.status == "UNREACHABLE"
    assert "doi.org knows the DOI, but its agency (crossref) has no record of it" in row.message
