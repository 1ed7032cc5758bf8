"""One file described, whatever it is: every format, and every hostile thing that may lie in a workspace."""

from __future__ import annotations

import io
import json
import os
import resource
import socket
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from material import PARQUET, PDF, SVG, png, put
from PIL import Image

from flagstone.artifacts.entry import IndexEntry, describe
from flagstone.layout import Run
from flagstone.records import DigestCache, digest_bytes


def entry(run: Run, path: str, content: object = None, kind: str = "data") -> IndexEntry:
    if content is not None:
        put(run, path, content)
    return describe(run, f"workspace/{path}", kind, DigestCache(None))


def refused(run: Run, path: str, content: object = None, kind: str = "data") -> str:
    found = entry(run, path, content, kind)
    assert found.unreadable and not found.is_usable
    return found.unreadable


@contextmanager
def memory_limit(mb: int) -> Iterator[None]:
    """Whatever asks for more than this on top of what the process holds now gets a MemoryError."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + mb * 1_000_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(stream, kind)
    return stream.getvalue()


def test_a_table_has_columns_rows_size_and_digest(run: Run) -> None:
    content = 'a,b\n1,"x\ny"\n\n2,z\n'
    found = entry(run, "data/t.csv", content)
    assert (found.format, found.size, found.digest) == ("csv", len(content), digest_bytes(content.encode()))
    assert found.schema["columns"] == ["a", "b"] and found.schema["row_count"] == 2 and found.is_usable


def test_every_other_format_says_what_it_holds(run: Run) -> None:
    assert entry(run, "data/t.tsv", "a\tb\n1\t2\n").schema["columns"] == ["a", "b"]
    assert entry(run, "data/l.jsonl", '{"a": 1}\n\n{"b": 2}\n').schema["row_count"] == 2
    assert entry(run, "data/o.json", {"n": 3, "metrics": {"loss": 0.5}}).schema["metric_names"] == [
        "metrics.loss",
        "n",
    ]
    assert entry(run, "data/a.json", [{"x": 1}, {"y": 2}]).schema["item_keys"] == ["x", "y"]
    assert entry(run, "data/y.yaml", "a: 1\nb: [1, 2]\n").schema["keys"] == ["a", "b"]
    assert entry(run, "data/y.yml", "- 1\n- 2\n").schema["item_count"] == 2
    assert entry(run, "data/p.parquet", PARQUET).schema["row_count"] == 2


def test_arrays_are_described_by_their_headers(run: Run) -> None:
    assert entry(run, "results/a.npy", npy(np.zeros((3, 4))), "results").schema["shape"] == [3, 4]
    stream = io.BytesIO()
    np.savez_compressed(stream, loss=np.arange(5), names=np.array(["a", "bc"]))
    found = entry(run, "results/a.npz", stream.getvalue(), "results")
    assert [(a["name"], a["shape"]) for a in found.schema["arrays"]] == [("loss", [5]), ("names", [2])]  # type: ignore[attr-defined]
    assert found.is_usable


def test_figures_are_described_by_what_they_are(run: Run) -> None:
    assert entry(run, "figures/a.png", picture("PNG"), "figures").schema == {
        "type": "figure",
        "width_px": 30,
        "height_px": 20,
    }
    for ending in ("jpg", "jpeg"):
        assert entry(run, f"figures/a.{ending}", picture("JPEG"), "figures").schema["height_px"] == 20
    assert entry(run, "figures/a.svg", SVG, "figures").is_usable
    assert entry(run, "figures/a.pdf", PDF, "figures").schema["page_count"] == 1


def test_pages_in_compressed_object_streams_are_counted(run: Run) -> None:
    packed = zlib.compress(b"3 0 <</Type /Page /Parent 2 0 R>> <</Type /Pages>>")
    body = b"%PDF-1.5\n5 0 obj <</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode>>\nstream\n" + packed
    found = entry(run, "figures/a.pdf", body + b"\nendstream endobj\n%%EOF\n", "figures")
    assert found.schema["page_count"] == 1


@pytest.mark.parametrize(
    "ending",
    ["json", "jsonl", "csv", "tsv", "parquet", "yaml", "yml", "npz", "npy", "png", "pdf", "svg", "jpg", "jpeg", "txt"],
)
def test_an_empty_file_of_any_format_counts_for_nothing(run: Run, ending: str) -> None:
    assert refused(run, f"data/none.{ending}", b"") == "empty (0 bytes)"


@pytest.mark.parametrize("ending", ["json", "jsonl", "parquet", "npz", "npy", "png", "pdf", "svg", "jpg", "jpeg"])
def test_a_file_that_is_not_what_its_name_says_is_unreadable(run: Run, ending: str) -> None:
    kind = "figures" if ending in ("png", "pdf", "svg", "jpg", "jpeg") else "results"
    reason = refused(run, f"{kind}/fake.{ending}", b"secret words, and more of them\n" * 3, kind)
    assert "secret" not in reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.png", png()[:-6]),
        ("h.png", png()[:20] + b"\7" + png()[21:]),
        ("z.png", png(0, 4)),
        ("t.jpg", picture("JPEG")[:-30]),
        ("t.pdf", PDF[:-8]),
        ("n.pdf", b"%PDF-1.4\n" + b"x" * 50 + b"\n%%EOF\n"),
        ("u.svg", SVG[:-6]),
        ("e.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("r.svg", b"<html><svg/></html>"),
        ("bomb.svg", b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg><g>&b;</g></svg>'),
    ],
)
def test_a_figure_that_is_cut_short_or_hollow_is_unreadable(run: Run, name: str, content: bytes) -> None:
    refused(run, f"figures/{name}", content, "figures")


def test_a_cut_array_and_pickled_objects_are_unreadable(run: Run) -> None:
    whole = npy(np.zeros(100))
    assert "truncated" in refused(run, "results/t.npy", whole[:-8], "results")
    assert "pickled" in refused(run, "results/o.npy", npy(np.array([{}, None], dtype=object)), "results")
    refused(run, "results/h.npy", whole[:20], "results")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "x")
    assert "without arrays" in refused(run, "results/t.npz", stream.getvalue(), "results")
    assert "incomplete" in refused(run, "results/c.npz", stream.getvalue()[:-10], "results")


def test_record_arrays_are_described(run: Run) -> None:
    found = entry(run, "results/r.npy", npy(np.zeros(4, dtype=[("Objective", "f8"), ("n", "i4")])), "results")
    assert found.schema["shape"] == [4]


def test_a_damaged_parquet_footer_is_unreadable(run: Run) -> None:
    refused(run, "data/a.parquet", PARQUET[:-1])
    refused(run, "data/b.parquet", b"PAR2" + PARQUET[4:])
    refused(run, "data/d.parquet", PARQUET[:20] + b"PAR1")
    for at in range(len(PARQUET) - 190, len(PARQUET)):  # whatever is damaged, there is an answer
        entry(run, "data/c.parquet", PARQUET[:at] + b"\xff" + PARQUET[at + 1 :])


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("latin.csv", "größe\n1\n".encode("latin-1"), "UTF-8"),
        ("late.csv", b"a\n" + b"1\n" * 5000 + b"\xe9\n", "UTF-8"),
        ("wide.jsonl", '{"a": 1}\n'.encode("utf-16"), "UTF-16"),
        ("wide.csv", "a\n1\n".encode("utf-16-le"), "NUL"),
        ("field.csv", b"a,b\n1," + b"x" * 200_000 + b"\n", "128 KB"),
        ("line.csv", b"a\n" + b"x" * 1_500_000, "line longer"),
        ("deep.json", b"[" * 100_000 + b"]" * 100_000, "deep"),
        ("deep.jsonl", b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n", "line 1"),
        ("deep.yaml", b"[" * 50_000 + b"]" * 50_000, "deep"),
        ("nan.json", b'{"loss": NaN}', "NaN"),
        ("inf.jsonl", b'{"loss": 1}\n{"loss": -Infinity}\n', "line 2: contains -Infinity"),
        ("cut.json", b'{"loss": 1', "JSON"),
        ("digits.json", b"[" + b"1" * 5000 + b"]", "JSON"),
        ("bad.yaml", b"a: [1\nb: 2\n", "YAML"),
        ("tag.yaml", b"a: *nothing\n", "YAML"),
        ("self.yaml", b"a: &x [*x]\n", "YAML"),
        ("big.yaml", b"- 1\n" * 300_000, "1 MB"),
    ],
)
def test_a_hostile_text_file_is_unreadable_with_its_reason(run: Run, name: str, content: bytes, why: str) -> None:
    assert why in refused(run, f"data/{name}", content)


def test_a_yaml_alias_bomb_is_refused_without_being_expanded(run: Run) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "expand" in refused(run, "data/bomb.yaml", "\n".join(lines))


def test_yaml_never_runs_what_it_holds(run: Run, tmp_path: Path) -> None:
    entry(run, "data/run.yaml", f"!!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    assert not (tmp_path / "made").exists()


def test_a_json_beyond_the_limit_is_not_loaded(run: Run) -> None:
    path = put(run, "data/large.json", b"[")
    os.truncate(path, 17_000_000)
    assert "16 MB" in refused(run, "data/large.json")


def test_names_from_files_are_bounded_and_can_always_be_written(run: Run) -> None:
    found = entry(run, "data/k.json", b'{"\\ud800": 1, "' + b"k" * 500 + b'": 2, "\\u001b[31m": 3}')
    names = found.schema["keys"]
    assert json.dumps(names, ensure_ascii=False).encode() and all(len(name) <= 90 for name in names)  # type: ignore[attr-defined]
    assert "\x1b" not in str(names)
    many = entry(run, "data/wide.csv", ",".join(f"c{n}" for n in range(5000)) + "\n" + ",".join("1" * 5000) + "\n")
    assert len(many.schema["columns"]) == 100 and many.schema["column_count"] == 5000  # type: ignore[arg-type]


def test_a_link_out_of_the_run_is_refused_and_nothing_of_it_quoted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "target-name.csv").write_text("password,secret\n1,2\n")
    (run.workspace / "data" / "leak.csv").symlink_to(tmp_path / "target-name.csv")
    found = entry(run, "data/leak.csv")
    assert found.unreadable == "a link that leaves the run" and found.digest == "" and found.size == 0
    assert not any(word in repr(found) for word in ("password", "secret", "target-name"))


def test_links_within_the_run_are_read_but_not_those_to_its_records(run: Run) -> None:
    put(run, "notes/t.csv", "a\n1\n")
    (run.workspace / "data" / "good.csv").symlink_to("../notes/t.csv")
    (run.workspace / "data" / "own.yaml").symlink_to("../../run.yaml")
    assert entry(run, "data/good.csv").is_usable
    assert "own records" in refused(run, "data/own.yaml")


def test_loops_and_links_to_nowhere_are_unreadable(run: Run) -> None:
    room = run.workspace / "data"
    (room / "a.csv").symlink_to("b.csv")
    (room / "b.csv").symlink_to("a.csv")
    (room / "gone.csv").symlink_to("never.csv")
    (room / "up.csv").symlink_to("..")
    assert "back to itself" in refused(run, "data/a.csv")
    assert "nowhere" in refused(run, "data/gone.csv")
    assert "folder" in refused(run, "data/up.csv")


def test_pipes_and_sockets_are_never_opened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(run.workspace / "data" / "pipe.csv")
    monkeypatch.chdir(run.workspace / "data")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.csv")
        for name in ("pipe", "socket"):
            assert refused(run, f"data/{name}.csv") == "a pipe, a socket or a device, not a file"


def test_a_name_that_is_not_utf8_is_described_without_breaking_records(run: Run) -> None:
    raw = os.fsencode(run.workspace / "data") + b"/caf\xe9.csv"
    with open(raw, "wb") as stream:
        stream.write(b"a\n1\n")
    found = describe(run, os.fsdecode(b"workspace/data/caf\xe9.csv"), "data", DigestCache(None))
    assert found.path == "workspace/data/caf\\xe9.csv" and "rename" in str(found.unreadable)


def test_a_sparse_csv_of_two_gigabytes_is_described_in_little_memory(run: Run) -> None:
    path = put(run, "data/huge.csv", "a,b\n" + "1,2\n" * 400_000)
    os.truncate(path, 2_000_000_000)
    cache = DigestCache(None)
    status = path.stat()
    mark = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    cache.known[str(path)] = [*mark, "0" * 64]  # digesting is a plain stream; not what is measured here
    began = time.process_time()
    with memory_limit(mb=48):
        found = describe(run, "workspace/data/huge.csv", "data", cache)
    assert found.is_usable and found.schema["row_count"] is None
    assert found.schema["row_count_at_least"] == 249_999 and "64 MB" in str(found.schema["note"])
    assert time.process_time() - began < 5
    assert found.size == 2_000_000_000


def test_a_line_without_end_is_not_read_whole(run: Run) -> None:
    path = put(run, "data/line.csv", "a,b\n")
    with path.open("ab") as stream:
        stream.write(b"x" * 3_000_000)
    os.truncate(path, 1_000_000_000)
    cache = DigestCache(None)
    status = path.stat()
    cache.known[str(path)] = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, "0" * 64]
    with memory_limit(mb=48):
        assert "line longer" in str(describe(run, "workspace/data/line.csv", "data", cache).unreadable)


def test_results_say_who_made_them(run: Run) -> None:
    def makers(name: str, content: object) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        found = entry(run, f"results/{name}", content, "results").makers
        return found.experiments, found.trials, found.is_complete

    assert makers("a.json", {"experiment": "warmup", "loss": 1}) == (("warmup",), (), True)
    assert makers("b.json", [{"trial": 1}, {"experiment": "x"}]) == (("x",), ("1",), True)
    assert makers("c.json", [{"trial": "t"}, {"loss": 2}]) == ((), ("t",), False)
    assert makers("d.csv", "experiment,loss\nw,1\nv,2\n") == (("v", "w"), (), True)
    assert makers("e.csv", "experiment,loss\nw,1\n,2\n") == (("w",), (), False)
    assert makers("f.csv", "loss\n1\n")[2] is False
    assert makers("g.jsonl", '{"experiment": "w"}\n{"experiment": " "}\n')[2] is False
    assert makers("h.json", {"experiment": True})[2] is False


def test_a_file_of_no_known_format_is_listed_but_counts_for_nothing(run: Run) -> None:
    found = entry(run, "data/README.md", "words")
    assert found.format == "other" and found.unreadable is None and not found.is_usable


@pytest.mark.parametrize(
    ("name", "content"),
    [("h.csv", "a,b\n"), ("e.json", {}), ("l.json", []), ("s.json", 3), ("c.yaml", "# x\n")],
)
def test_a_file_without_records_counts_for_nothing(run: Run, name: str, content: object) -> None:
    assert not entry(run, f"data/{name}", content).is_usable
