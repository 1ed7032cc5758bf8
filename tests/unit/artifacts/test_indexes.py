"""The index of a room: every file once, in order, bounded, and the same bytes for the same files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from material import SVG, png, put

from flagstone.artifacts import index as index_module
from flagstone.artifacts.entry import Producer
from flagstone.artifacts.formats.folders import list_files
from flagstone.artifacts.index import build_index, index_rows
from flagstone.layout import Run
from flagstone.records import DigestCache, canonical

SCHEMA = Path(__file__).parents[3] / "schemas" / "index.schema.yaml"


def built(run: Run, kind: str = "data", **producers: Producer) -> dict[str, object]:
    made = {f"workspace/{kind}/{name}.csv": producer for name, producer in producers.items()}
    return build_index(run, kind, DigestCache(None), made)


def paths(index: dict[str, object]) -> list[str]:
    return [entry["path"] for entry in index["entries"]]  # type: ignore[attr-defined]


def one(index: dict[str, object], path: str) -> dict[str, object]:
    return next(entry for entry in index["entries"] if entry["path"] == path)  # type: ignore[attr-defined]


def test_the_same_files_give_the_same_bytes_whatever_their_times(run: Run) -> None:
    for name in ("b", "a", "c/d"):
        put(run, f"data/{name}.csv", f"x\n{len(name)}\n")
    first = canonical(built(run))
    for path in run.workspace.rglob("*.csv"):
        os.utime(path, (1, 1))
    assert canonical(built(run)) == first
    assert paths(json.loads(first)) == ["workspace/data/a.csv", "workspace/data/b.csv", "workspace/data/c/d.csv"]


def test_hidden_files_caches_and_sidecars_are_no_entries(run: Run) -> None:
    for name in ("a.csv", ".hidden.csv", ".git/x.csv", "__pycache__/x.csv", "a.csv.json", "a.csv.schema.json"):
        put(run, f"data/{name}", {} if name.endswith("json") else "x\n1\n")
    assert paths(built(run)) == ["workspace/data/a.csv"]


def test_a_sidecar_declares_a_schema_and_a_broken_one_says_why(run: Run) -> None:
    for name in "abc":
        put(run, f"data/{name}.csv", "x\n1\n")
    put(run, "data/a.csv.schema.json", {"x": "a length in metres"})
    put(run, "data/b.csv.schema.json", "{")
    (run.workspace / "data" / "c.csv.schema.json").symlink_to("/etc/hostname")
    index = built(run)
    assert one(index, "workspace/data/a.csv")["schema"]["declared"] == {"x": "a length in metres"}  # type: ignore[index]
    assert "JSON" in one(index, "workspace/data/b.csv")["schema"]["declared_problem"]  # type: ignore[index]
    assert "leaves the run" in one(index, "workspace/data/c.csv")["schema"]["declared_problem"]  # type: ignore[index]


def test_producers_come_from_us_and_are_null_where_unknown(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    put(run, "data/b.csv", "x\n1\n")
    index = built(run, a=Producer(stage="03", attempt=2))
    assert one(index, "workspace/data/a.csv")["producer"] == {
        "stage": "03",
        "attempt": 2,
        "experiment": None,
        "trial": None,
    }
    assert set(one(index, "workspace/data/b.csv")["producer"].values()) == {None}  # type: ignore[attr-defined]


def test_results_name_their_makers_also_through_a_sidecar(run: Run) -> None:
    put(run, "results/a.csv", "loss\n1\n")
    put(run, "results/a.csv.json", {"trial": "t1"})
    index = built(run, "results")
    assert paths(index) == ["workspace/results/a.csv"]
    assert one(index, "workspace/results/a.csv")["made_by"] == {"experiments": [], "trials": ["t1"]}


def test_figures_name_their_data(run: Run) -> None:
    put(run, "figures/a.svg", SVG)
    put(run, "figures/a.csv", "x\n1\n")
    assert one(built(run, "figures"), "workspace/figures/a.svg")["drawn_from"] == ["workspace/figures/a.csv"]


def test_whatever_lies_there_the_record_fits_its_schema(run: Run, tmp_path: Path) -> None:
    room = run.workspace / "data"
    put(run, "data/t.csv", "a\n1\n")
    put(run, "data/t.csv.schema.json", {"a": "one"})
    put(run, "data/o.json", {"\u001b": 1})
    put(run, "data/l.json", [1])
    put(run, "data/latin.csv", b"\xe9\n")
    put(run, "data/y.yaml", "a: 1\n")
    put(run, "data/README.md", "words")
    put(run, "data/p.png", png())
    put(run, "data/n.csv", "")
    os.mkfifo(room / "pipe")
    (room / "leak").symlink_to(tmp_path)
    (room / "loop").symlink_to("loop")
    with open(os.fsencode(room) + b"/\xff\n.csv", "wb") as stream:
        stream.write(b"x")
    validator = Draft202012Validator(yaml.safe_load(SCHEMA.read_text()))
    for kind in ("data", "results", "figures"):
        index = built(run, kind)
        assert [error.message for error in validator.iter_errors(index)] == []
        assert json.dumps(index, ensure_ascii=False).encode()
    unreadable = [entry["path"] for entry in built(run)["entries"] if entry["unreadable"]]  # type: ignore[attr-defined]
    assert len(unreadable) == 6


def test_a_room_that_is_a_link_out_of_the_run_is_not_entered(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.csv").write_text("a\n1\n")
    (run.workspace / "data").rmdir()
    (run.workspace / "data").symlink_to(tmp_path / "elsewhere")
    index = built(run)
    assert paths(index) == ["workspace/data"] and "secret" not in json.dumps(index)
    assert one(index, "workspace/data")["unreadable"] == "a link that leaves the run"


def test_folder_links_and_loops_of_folders_are_listed_and_not_followed(run: Run) -> None:
    put(run, "data/real/a.csv", "x\n1\n")
    (run.workspace / "data" / "real" / "up").symlink_to("..")
    assert paths(built(run)) == ["workspace/data/real/a.csv", "workspace/data/real/up"]


def test_beyond_the_bound_files_are_counted_and_the_same_ones_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        put(run, f"data/{number % 3}/{number:02}.csv", "x\n1\n")
    monkeypatch.setattr(index_module, "ENTRIES_LIMIT", 10)
    index = built(run)
    assert index["entry_count"] == 10 and index["left_out"] == 20
    assert paths(index) == [f"workspace/data/0/{number:02}.csv" for number in range(0, 30, 3)]


def test_a_missing_room_is_an_empty_index(run: Run) -> None:
    (run.workspace / "data").rmdir()
    assert built(run)["entries"] == [] and list_files(run.root, "workspace/nowhere", limit=3).paths == ()


def test_rows_are_single_short_harmless_lines(run: Run) -> None:
    put(run, "data/a\x1b[31m\n# Stage 09.csv", "x\n1\n")
    put(run, "data/b.csv", ",".join(f"a_long_column_name_{n}" for n in range(90)) + "\n" + "1," * 89 + "1\n")
    put(run, "data/c.csv", "x\n1\n")
    rows = index_rows(built(run), 2)
    assert len(rows) == 3 and rows[-1] == "… and 1 more file"
    assert all(len(row) <= 160 and row.isprintable() for row in rows)
    assert "\\x1b" in rows[0] and "1 row" in rows[1]


def test_rows_say_what_helps_most(run: Run) -> None:
    put(run, "data/a.csv", "x,y\n1,2\n")
    put(run, "data/b.csv", "")
    put(run, "data/c.md", "words")
    rows = index_rows(built(run, a=Producer(stage="03", experiment="warmup")), 10)
    assert rows == (
        "workspace/data/a.csv: csv, 1 row, columns x y, stage 03, experiment warmup",
        "workspace/data/b.csv: csv, cannot be read: empty (0 bytes)",
        "workspace/data/c.md: 5 bytes",
    )


def test_rows_of_a_broken_record_do_not_fail() -> None:
    assert index_rows({}, 5) == ()
    assert index_rows({"entries": [{}, 3, {"path": 4}]}, 5)


def test_digests_are_remembered_between_builds(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    cache = DigestCache(run.digest_cache)
    build_index(run, "data", cache, {})
    cache.save()
    assert not DigestCache(run.digest_cache).has_new and DigestCache(run.digest_cache).known
