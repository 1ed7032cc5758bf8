"""The summary contract: each rule, and everything that must not break it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from material import OPTIONS, SECTIONS, message, put, rules_broken, summary

from flagstone.artifacts.rules.contract import contract_problems
from flagstone.artifacts.rules.produced import produced_files
from flagstone.artifacts.rules.summary import is_path_like, parse_summary, read_summary
from flagstone.layout import Run


def test_a_summary_that_keeps_to_the_contract_has_no_problems(run: Run) -> None:
    assert contract_problems(summary(), "03", "Study Design", run.root) == ()


def test_its_parts_are_found_word_for_word(run: Run) -> None:
    found = parse_summary(summary())
    assert found.title == "Stage 03: Study Design"
    assert found.text_of("Key Results") == SECTIONS["Key Results"]
    assert found.files == ("workspace/notes/plan.md",)
    assert found.suggestions == ("Draw more points.", "Add noise to the labels.", "Use a fourth class.")


@pytest.mark.parametrize("prefix", ["\ufeff", "\n\n", "\ufeff\n \n"])
def test_a_byte_order_mark_and_leading_blank_lines_are_tolerated(run: Run, prefix: str) -> None:
    assert rules_broken(run, prefix + summary()) == []


def test_windows_line_ends_are_tolerated(run: Run) -> None:
    assert rules_broken(run, summary().replace("\n", "\r\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        summary(nr="04"),
        summary(title="Study design"),
        "Sure, here it is.\n\n" + summary(),
        summary().split("\n", 1)[1],
        summary().replace("# Stage", "## Stage", 1),
        "",
        summary() + "\n# Stage 04: Implementation\n",
    ],
)
def test_another_title_or_something_above_it_is_refused(run: Run, text: str) -> None:
    assert "summary-title" in rules_broken(run, text)


def test_a_missing_section_is_named(run: Run) -> None:
    text = summary().replace("## Key Results", "### Key Results")
    assert rules_broken(run, text) == ["summary-sections-missing"]
    assert "“## Key Results”" in message(run, text)


def test_a_section_nobody_asked_for_is_refused(run: Run) -> None:
    assert rules_broken(run, summary(Objective="One.\n\n## Extra\n\nTwo.")) == ["summary-section-unknown"]


def test_sections_in_another_order_are_refused(run: Run) -> None:
    text = summary().replace("## What I Did", "## X").replace("## Key Results", "## What I Did")
    assert rules_broken(run, text.replace("## X", "## Key Results")) == ["summary-section-order"]


def test_a_repeated_section_is_refused(run: Run) -> None:
    assert rules_broken(run, summary(Objective="One.\n\n## Objective\n\nTwo.")) == ["summary-section-repeated"]


@pytest.mark.parametrize("nothing", ["", "   ", "<!-- to be written -->", "```\n```"])
def test_an_empty_section_is_refused(run: Run, nothing: str) -> None:
    assert rules_broken(run, summary(Key_Results=nothing)) == ["summary-section-empty"]


@pytest.mark.parametrize(
    "content",
    [
        "A text.\n\n```sh\n## not a heading\n# Stage 09: no\necho [TODO]\n```",
        "A text.\n\n~~~\n## Objective\n~~~\n",
        "- one\n  - two\n    1. three\n\n      ## a heading within an item",
        "A heading that is underlined\n---------------------------\n\nand prose.",
        "Underlined\n==========\n\nand prose.",
        "> ## quoted heading\n> prose",
        "    ## indented code\n",
        "### a deeper heading\n\n#### and a deeper one",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_code_lists_quotations_and_underlined_headings_are_content(run: Run, content: str) -> None:
    text = summary(Key_Results=content)
    assert rules_broken(run, text) == []
    assert parse_summary(text).text_of("Key Results") == content.strip("\n")


@pytest.mark.parametrize(
    "items",
    [
        "1. one\n2. two",
        "1. one\n2. two\n3. three\n4. four",
        "- one\n- two\n- three",
        "2. one\n3. two\n4. three",
        "1. one\n2.\n3. three",
        "only prose",
    ],
)
def test_other_than_three_numbered_suggestions_are_refused(run: Run, items: str) -> None:
    assert rules_broken(run, summary(Suggestions_for_Refinement=items)) == ["summary-suggestions"]


@pytest.mark.parametrize(
    "items",
    [
        "1. one\n   1. a\n   2. b\n2. two\n3. three",
        "Intro.\n\n1. one\n\n   more of it\n\n2. two\n3. three",
        "1) one\n2) two\n3) three",
        "1. one\n\nBecause of this.\n\n2. two\n\nAnd that.\n\n3. three",
    ],
)
def test_suggestions_may_hold_lists_and_paragraphs(run: Run, items: str) -> None:
    text = summary(Suggestions_for_Refinement=items)
    assert rules_broken(run, text) == []
    assert len(parse_summary(text).suggestions) == 3


def test_suggestions_that_say_the_same_are_refused(run: Run) -> None:
    same = "1. Draw more points.\n2. draw *more* points\n3. Use a fourth class."
    assert rules_broken(run, summary(Suggestions_for_Refinement=same)) == ["summary-suggestions-distinct"]


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS.replace("Abort", "Give up"),
        OPTIONS.replace("1. ", "- ", 1),
        "\n".join(OPTIONS.split("\n")[:5]),
        OPTIONS + "\n7. Approve everything",
    ],
)
def test_other_options_are_refused(run: Run, options: str) -> None:
    assert rules_broken(run, summary(Your_Options=options)) == ["summary-options"]


@pytest.mark.parametrize(
    "left_open",
    [
        "[Pending]",
        "[TBD]",
        "[TODO: x]",
        "[TODO]",
        "[In progress…]",
        "[in progress...]",
        "[placeholder for the table]",
        "[To be determined]",
        "**[TBD]**",
        "[TBD](https://example.org)",
        "TODO: write this",
        "It is so. TODO: check",
        "TBD",
        "<div>[pending]</div>",
        "| a | b |\n|---|---|\n| x | [TBD] |",
        "\\[TBD\\]",
    ],
)
def test_a_placeholder_is_refused(run: Run, left_open: str) -> None:
    assert rules_broken(run, summary(Key_Results=f"So far.\n\n{left_open}\n")) == ["summary-placeholder"]


@pytest.mark.parametrize(
    "prose",
    [
        "[pending review by the IRB board] applies to site B.",
        "TODO lists are a known method.",
        "The literature calls this a placeholder token.",
        "Work in progress elsewhere is cited [1].",
        "Use `TODO:` and `[TBD]` as marks.",
        "```\nTODO: this is code\n[TBD]\n```",
        "Pending cases were counted twice.",
        "- [ ] an open task\n- [x] a finished one",
        "p < .05 and n > 30 in both arms",
        "A sentence that trails off ...",
        "<https://example.org/a%20b>",
        "<!-- TODO: nobody reads this -->\n\nText.",
        "TODO-list apps",
    ],
)
def test_ordinary_prose_passes(run: Run, prose: str) -> None:
    assert rules_broken(run, summary(Key_Results=prose)) == []


@pytest.mark.parametrize(
    "copied",
    [
        "First refinement suggestion",
        "[Second suggestion]",
        "...",
        "<what this stage had to settle>",
        "exactly three suggestions, a numbered list from one to three",
    ],
)
def test_text_of_a_template_is_refused(run: Run, copied: str) -> None:
    assert rules_broken(run, summary(What_I_Did=f"Something.\n\n{copied}\n")) == ["summary-template-text"]


@pytest.mark.parametrize("mark", ["\x1b[31m", "\x07", "\x08", "\x7f", "\x9b", "\u202e", "\x0b"])
def test_control_characters_are_refused_with_their_line(run: Run, mark: str) -> None:
    text = summary(Objective=f"Fine {mark} words.")
    assert rules_broken(run, text) == ["summary-control-characters"]
    assert "line 5" in message(run, text) and mark not in message(run, text)


@pytest.mark.parametrize("files", ["none", "- notes", "- `python train.py --out x`", "- `https://example.org/a.md`"])
def test_a_summary_that_lists_no_file_is_refused(run: Run, files: str) -> None:
    assert rules_broken(run, summary(Files_Produced=files)) == ["summary-files-none"]


def test_a_listed_file_that_is_missing_or_empty_is_refused(run: Run) -> None:
    put(run, "data/none.csv", "")
    (run.workspace / "data" / "hollow").mkdir()
    put(run, "data/hidden/.keep", "x")
    put(run, "data/zero/a.csv", "")
    for path in ("data/gone.csv", "data/none.csv", "data/hollow/", "data/hidden/", "data/zero"):
        files = f"- `workspace/notes/plan.md`\n- `workspace/{path}`"
        assert rules_broken(run, summary(Files_Produced=files)) == ["summary-file-missing"], path
        assert path in message(run, summary(Files_Produced=files))
    assert "gone.csv` (does not exist)" in message(run, summary(Files_Produced="- `workspace/data/gone.csv`"))


def test_a_pipe_is_not_a_file_and_is_not_waited_for(run: Run) -> None:
    os.mkfifo(run.workspace / "data" / "pipe.csv")
    assert rules_broken(run, summary(Files_Produced="- `workspace/data/pipe.csv`")) == ["summary-file-missing"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../etc/passwd", "workspace/../../x.md", "~/x.md", "C:/x.md"])
def test_a_listed_path_outside_the_run_is_refused(run: Run, path: str) -> None:
    assert rules_broken(run, summary(Files_Produced=f"- `{path}`")) == ["summary-file-outside"]


def test_a_link_that_leaves_the_run_is_refused_and_its_target_not_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret-place.csv").write_text("a,b\n1,2\n")
    (run.workspace / "data" / "x.csv").symlink_to(tmp_path / "secret-place.csv")
    (run.workspace / "data" / "folder").symlink_to(tmp_path)
    for path in ("workspace/data/x.csv", "workspace/data/folder/secret-place.csv"):
        text = summary(Files_Produced=f"- `{path}`")
        assert rules_broken(run, text) == ["summary-file-outside"]
    assert "secret" not in message(run, summary(Files_Produced="- `workspace/data/x.csv`"))


def test_flagstones_own_records_do_not_count_as_produced(run: Run) -> None:
    assert rules_broken(run, summary(Files_Produced="- `./run.yaml`")) == ["summary-files-none"]
    both = "- `./run.yaml`\n- `workspace/notes/plan.md`"
    assert rules_broken(run, summary(Files_Produced=both)) == []


def test_files_of_listed_folders_are_offered_and_names_below_the_workspace_are_understood(run: Run) -> None:
    put(run, "data/set/a.csv", "a\n1\n")
    put(run, "data/set/.hidden", "x")
    files = "- `data/set/` – the set\n- `notes/plan.md`\n  - `workspace/notes/plan.md` again"
    text = summary(Files_Produced=files)
    assert rules_broken(run, text) == []
    assert produced_files(parse_summary(text), run.root) == (
        "workspace/data/set/a.csv",
        "workspace/notes/plan.md",
    )


def test_of_each_item_the_first_path_counts(run: Run) -> None:
    files = (
        "- `workspace/notes/plan.md` made by `python workspace/code/gone.py` from `workspace/gone.csv`\n"
        "- `1e-3` is the rate in `workspace/notes/plan.md`\n"
        "- see `and/or`, `**/*.csv`, `$HOME/x.md`, `numpy.array`\n"
    )
    assert parse_summary(summary(Files_Produced=files)).files == ("workspace/notes/plan.md",)


def test_paths_in_tables_and_paragraphs_count_line_by_line(run: Run) -> None:
    files = "| file | what |\n|---|---|\n| `workspace/a.md` | a |\n| `workspace/b.md` | `workspace/c.md` |\n"
    assert parse_summary(summary(Files_Produced=files)).files == ("workspace/a.md", "workspace/b.md")


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("workspace/data/a.csv", True),
        ("notes.md", True),
        ("./a.unknown", True),
        ("workspace/data", True),
        ("workspace/my file.csv", True),
        ("workspace/results/seed=3/metrics.json", True),
        ("results/run/", True),
        ("https://example.org/a.csv", False),
        ("python code/train.py", False),
        ("--out=a.csv", False),
        ("data/*.csv", False),
        ("and/or", False),
        ("np.float64", False),
        ("0.5", False),
        ("", False),
    ],
)
def test_what_looks_like_a_path(text: str, is_path: bool) -> None:
    assert is_path_like(text) is is_path


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "NUL"),
        (summary().encode("utf-16"), "UTF-16"),
        ("# Stage 03: Étude".encode("latin-1"), "UTF-8"),
        (b"a" * 1_000_001, "1 MB"),
    ],
)
def test_a_draft_that_is_not_text_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "draft.md").write_bytes(content)
    text, problems = read_summary(tmp_path / "draft.md")
    assert text == "" and [problem.rule for problem in problems] == ["summary-unreadable"]
    assert why in problems[0].message


def test_a_draft_that_is_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.md")
    for name in ("link.md", "pipe.md"):
        assert [problem.rule for problem in read_summary(tmp_path / name)[1]] == ["summary-unreadable"]


def test_text_with_nul_or_beyond_the_limit_is_not_parsed(run: Run) -> None:
    assert rules_broken(run, summary() + "\0") == ["summary-unreadable"]
    assert rules_broken(run, summary() + "é" * 500_001) == ["summary-unreadable"]


def test_every_problem_is_found_at_once(run: Run) -> None:
    text = summary(nr="09", Your_Options="1. no", Files_Produced="- `/etc/passwd`", Objective="[TBD]")
    expected = {"summary-title", "summary-options", "summary-file-outside", "summary-placeholder"}
    assert set(rules_broken(run, text)) == expected


@pytest.mark.parametrize("piece", ["[", "*a_ ", "<a ", "> ", "`" * 3 + " ", "[a](", "* "])
def test_hostile_markdown_is_judged_in_bounded_time(run: Run, piece: str) -> None:
    began = time.process_time()
    assert "summary-title" in rules_broken(run, piece * (100_000 // len(piece)))
    assert time.process_time() - began < 5
