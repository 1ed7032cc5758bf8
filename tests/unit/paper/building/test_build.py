"""A paper is built from what its agent wrote, and from nothing else; what is broken is named by file and line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from papers import Paper, new_paper

from flagstone.drafting.inspection import built_paper
from flagstone.errors import FlagstoneError
from flagstone.paper.building import publish, write_manifest
from flagstone.paper.building.typesetting import compiling
from flagstone.paper.facts import build_facts
from flagstone.records import digest_file, write_record


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return new_paper(tmp_path)


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of a folder, with what changes when it is written."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_a_whole_paper_is_built_and_published(paper: Paper) -> None:
    build = paper.build()
    assert build.failures == [] and build.made == ("paper",)
    assert publish(paper.run) == []
    copy = paper.run.workspace / "artifacts" / "paper.pdf"
    assert copy.read_bytes() == (paper.run.paper / "paper.pdf").read_bytes()
    assert (paper.run.writing / "main.tex").is_file()


def test_a_build_of_what_is_built_does_nothing(paper: Paper) -> None:
    paper.build()
    publish(paper.run)
    before = state_of(paper.run.root)
    assert paper.build().made == ()
    assert publish(paper.run) == []
    assert state_of(paper.run.root) == before


def test_a_stored_audit_is_not_believed(paper: Paper) -> None:
    paper.build()
    path = paper.run.paper / "audit.json"
    honest = path.read_bytes()
    record = json.loads(honest)
    record["report"] |= {"strays": [{"text": "99", "page": 1, "start": 0, "end": 2}]}
    path.write_text(json.dumps(record))
    assert "paper-audit" not in paper.failures() and path.read_bytes() == honest


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    papers = [new_paper(tmp_path / name) for name in ("one", "a-longer-name")]
    names = ("paper.pdf", "main.tex", "build_log.txt")
    one, other = ([(each.build(), (each.run.paper / name).read_bytes())[1] for name in names] for each in papers)
    assert one == other


def test_an_error_of_latex_is_named_by_the_file_and_line_of_the_agent(paper: Paper) -> None:
    paper.write("sections/method.tex", "\\section{Method}\nOne line.\nThen \\nonsense here.\n")
    message = paper.failures()["paper-build-log"]
    assert "workspace/writing/sections/method.tex:3: Undefined control sequence. after “Then \\nonsense”" in message
    assert "Fatal" not in message


def test_a_reference_to_nothing_is_named(paper: Paper) -> None:
    paper.write("sections/method.tex", "\\section{Method}\nSee Section~\\ref{sec:gone}.\n")
    assert "sections/method.tex:2: sec:gone" in paper.failures()["paper-build-log"]


BROKEN = {
    "\\begin{table}\\begin{tabular}{ll}\na & b \\\\\nc & \\nonsense \\\\\n\\end{tabular}\\caption{C}\\end{table}":
        "method.tex:4: Undefined control sequence",
    "\\begin{tabular}{ll}\na & b & c \\\\\n\\end{tabular}": "method.tex:3: Extra alignment tab",
    "Words.\n\\includegraphics{figures/gone.pdf}": "method.tex:3: Package pdftex.def Error: File `figures/gone.pdf'",
    "\\begin{table}\n\\caption{A \\val{gone} b}\\end{table}": "method.tex:3: Undefined control sequence. after",
    "\\textbf{never closed": "method.tex: File ended while scanning use of \\textbf: a brace that it",
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_an_error_in_a_table_a_figure_or_an_open_brace_is_named_by_its_place(paper: Paper, text: str) -> None:
    paper.write("sections/method.tex", f"\\section{{Method}}\n{text}\n")
    assert f"workspace/writing/sections/{BROKEN[text]}" in paper.failures()["paper-build-log"]


def test_a_section_that_is_missing_or_left_out_is_named(paper: Paper) -> None:
    (paper.run.writing / "sections" / "method.tex").unlink()
    assert "workspace/writing/sections/method.tex" in paper.failures()["paper-sections"]
    paper.write("sections/method.tex", "\\section{Method}\nWords.\n")
    paper.write("sections/forgotten.tex", "\\section{Forgotten}\nWords.\n")
    assert "sections/forgotten.tex" in paper.failures()["paper-sections"]


def test_a_title_cannot_hold_a_command(paper: Paper) -> None:
    paper.describe(title="% of \\input{/etc/passwd} & _all_ # {x} ~^")
    assert paper.build().failures == []
    main = (paper.run.paper / "main.tex").read_text()
    assert "\\textbackslash{}input\\{/etc/passwd\\}" in main


def test_a_number_in_the_title_is_named_unless_the_brief_has_it(paper: Paper) -> None:
    paper.describe(title="It wins by 12.5 points on CIFAR10")
    assert "12.5; CIFAR10" in paper.failures()["paper-lint"]
    (paper.run.root / "brief.md").write_text("Does it win on CIFAR10?")
    assert "12.5" in paper.failures()["paper-lint"] and "CIFAR10" not in paper.failures()["paper-lint"]


@pytest.mark.parametrize("reads", ["/etc/hostname", "../../brief.md", "../t/brief.md"])
def test_latex_reads_no_file_outside_its_own_folder(paper: Paper, reads: str) -> None:
    paper.write("sections/method.tex", f"\\section{{Method}}\n\\input{{{reads}}}\n")
    assert "method.tex:2" in paper.failures()["paper-build-log"]


def test_latex_writes_no_file_and_starts_no_program(paper: Paper, tmp_path: Path) -> None:
    target = tmp_path / "written.txt"
    text = f"\\section{{Method}}\n\\immediate\\write18{{touch {target}}}\\newwrite\\w\\immediate\\openout\\w={target}\n"
    paper.write("sections/method.tex", text)
    paper.build()
    assert not target.exists()


def test_a_copy_that_somebody_changed_is_set_aside_and_named(paper: Paper) -> None:
    paper.write("main.tex", "my own main file")
    paper.build()
    assert publish(paper.run) == ["workspace/writing/main.tex"]
    assert (paper.run.writing / "main.tex.set-aside").read_text() == "my own main file"
    assert "documentclass" in (paper.run.writing / "main.tex").read_text()
    assert publish(paper.run) == []


COPIES = ("artifacts/paper.pdf", "artifacts/audit.json", "artifacts/build_log.txt",
          "artifacts/citation_verification.json",
          "writing/main.tex", "writing/facts.tex", "writing/references.bib", "writing/appendix.tex")  # fmt: skip


def test_an_agent_that_changes_published_copies_fails_the_lint_and_its_versions_are_kept(paper: Paper) -> None:
    order = paper.order()
    assert [each for each in built_paper(order.opened, order.stage) if each.status == "failed"] == []
    for name in COPIES:
        (paper.run.workspace / name).write_text("what the agent would like")
    (found,) = (each for each in built_paper(order.opened, order.stage) if each.status == "failed")
    assert found.rule == "paper-lint"
    for name in COPIES:
        assert f"workspace/{name}" in found.message
        assert (paper.run.workspace / f"{name}.set-aside").read_text() == "what the agent would like"
        assert (paper.run.workspace / name).read_bytes() == (paper.run.paper / Path(name).name).read_bytes()


def test_no_copy_is_published_through_a_link_that_leads_out_of_the_workspace(paper: Paper, tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", paper.run.workspace / "artifacts"
    elsewhere.mkdir()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    paper.build()
    assert publish(paper.run) == ["workspace/artifacts"]
    assert list(elsewhere.iterdir()) == [] and (folder / "paper.pdf").is_file() and not folder.is_symlink()
    assert publish(paper.run) == []


def test_a_record_that_does_not_fit_the_files_is_not_believed(paper: Paper) -> None:
    paper.build()
    (paper.run.paper / "paper.pdf").write_bytes(b"%PDF-1.4 forged")
    assert paper.build().made == ("paper",)
    assert (paper.run.paper / "paper.pdf").stat().st_size > 1000


def test_nothing_is_left_of_a_build_that_was_killed(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    first = paper.build()
    assert first.pdf
    before = first.pdf.read_bytes()
    paper.write("sections/method.tex", "\\section{Method}\nOther words.\n")
    pid = os.fork()
    if not pid:
        monkeypatch.setattr(compiling, "run", lambda *_: os._exit(9))
        paper.build()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert first.pdf.read_bytes() == before
    assert paper.build().made == ("paper",)
    assert [path for path in paper.run.paper.iterdir() if path.name.startswith("tex-")] == []


def test_without_latex_the_message_says_what_to_install(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling.shutil, "which", lambda _name: None)
    with pytest.raises(FlagstoneError, match="neither latexmk nor tectonic") as caught:
        paper.build()
    assert "make tex" in caught.value.hint


def test_without_paper_yaml_nothing_is_built(paper: Paper) -> None:
    (paper.run.writing / "paper.yaml").unlink()
    build = paper.build()
    assert [check.rule for check in build.failures] == ["paper-main"] and build.pdf is None


def test_a_fact_is_printed_and_an_unknown_one_stops_the_build(paper: Paper) -> None:
    paper.write("facts.yaml", "seeds: {value: 8, kind: config}\n")
    paper.write("sections/method.tex", "\\section{Method}\nWe use \\val{gone}.\n")
    assert "method.tex:2" in paper.failures()["paper-build-log"]
    assert build_facts(paper.run) is not None


def test_the_manifest_lists_what_the_paper_may_use(paper: Paper) -> None:
    order = paper.order()
    write_record(paper.run.index("results"), {"entries": [{"path": "workspace/results/a.csv"}]})
    write_manifest(order.opened, order.stage)
    found = json.loads((paper.run.writing / "manifest.json").read_text())
    assert found["results"] == ["workspace/results/a.csv"] and found["figures"] == found["verdicts"] == []
    assert "zhang2018mixup" in found["references"]


def test_a_changed_result_makes_facts_and_paper_anew_and_nothing_else(paper: Paper) -> None:
    result = paper.run.workspace / "results" / "a.json"
    paper.write("facts.yaml", 'gain: {from: "workspace/results/a.json#/gain", format: .1f}\n')
    paper.write("sections/method.tex", "\\section{Method}\nIt is \\val{gain} points.\n")

    def offer(gain: float) -> None:
        write_record(result, {"experiment": "a", "gain": gain})
        row = {"path": "workspace/results/a.json", "digest": digest_file(result)}
        write_record(paper.run.offer("05_experimentation"), {"stage": "05", "artifacts": [row]})

    offer(1.5)
    assert paper.build().failures == []
    before = state_of(paper.run.paper)
    offer(2.5)
    assert paper.build().failures == []
    changed = {Path(path).name for path, state in state_of(paper.run.paper).items() if before.get(path) != state}
    assert {"facts.tex", "facts.json", "paper.pdf", "build.json"} <= changed
    assert changed <= {"facts.tex", "facts.json", "paper.pdf", "build.json", "build_log.txt", "audit.json"}
