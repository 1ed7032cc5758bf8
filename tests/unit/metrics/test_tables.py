"""Metrics in files of the run's own."""

from __future__ import annotations

import math
import os
import tracemalloc

import pytest

from flagstone.metrics import tables
from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place, Reading


def of_json(place: Place, content: str | bytes, *wanted: str, **options: str) -> Reading:
    (place.run_dir / "m.json").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_metrics("json", {"path": "m.json", **options}, place, list(wanted))


def of_csv(place: Place, content: str | bytes, *wanted: str, name: str = "m.csv") -> Reading:
    (place.run_dir / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_metrics("csv", {"path": name}, place, list(wanted))


def test_a_json_object_is_read_with_its_nested_names(place: Place) -> None:
    found = of_json(place, '{"val": {"loss": 0.5, "ok": true}, "lr": 1e-3, "bad": NaN, "big": "Infinity"}')
    assert (found.values["val/loss"], found.values["val.loss"], found.values["lr"]) == (0.5, 0.5, 1e-3)
    assert math.isnan(found.values["bad"]) and found.values["big"] == math.inf and "val/ok" not in found.values
    assert found.sources == ("m.json",)


def test_of_json_lines_the_last_value_counts(place: Place) -> None:
    found = of_json(place, '{"loss": 0.5}\n\n{"loss": 0.4, "acc": 0.9}\nwords\n{"loss": NaN}\n{"lo')
    assert math.isnan(found.values["loss"]) and found.values["acc"] == 0.9
    assert found.last_steps["loss"][:2] == (0.5, 0.4)


def test_of_a_history_the_last_value_of_each_name_counts(place: Place) -> None:
    history = (
        '{"log_history": [{"eval_loss": 0.5, "step": 1}, {"eval_loss": 0.4, "step": 2}, {"runtime": 3}], "x": [1, 2]}'
    )
    found = of_json(place, history, "eval_loss", key="log_history.eval_loss")
    assert (found.values["eval_loss"], found.values["log_history.step"], found.values["x"]) == (0.4, 2, 2)
    assert found.last_steps["eval_loss"] == (0.5, 0.4)


@pytest.mark.parametrize("key", ["results.a", "results/a"])
def test_a_key_says_where_the_metric_stands(place: Place, key: str) -> None:
    assert of_json(place, '{"results": {"a": 3}, "score": 7}', "score", key=key).values["score"] == 3


def test_a_key_that_is_not_there_is_a_missing_metric(place: Place) -> None:
    found = of_json(place, '{"results": {"a": 3}, "score": 7}', "score", key="results.b")
    assert "score" not in found.values and found.problems == ("m.json has no number at results.b",)
    assert found.values["results.a"] == 3


def test_a_file_that_holds_one_number_is_the_metric(place: Place) -> None:
    assert of_json(place, "0.125\n", "score").values == {"score": 0.125}


def test_a_number_too_large_to_be_one_is_infinite(place: Place) -> None:
    found = of_json(place, f'{{"a": 1{"0" * 400}, "b": -1{"0" * 400}, "c": 1e999}}').values
    assert found == {"a": math.inf, "b": -math.inf, "c": math.inf}


@pytest.mark.parametrize("content", [b"", b"\xff\x00garbage", b"[1, 2", b'"text"', b"[" * 100_000, b"\x00" * 5000])
def test_a_broken_json_file_is_a_problem_and_no_crash(place: Place, content: bytes) -> None:
    found = of_json(place, content, "loss")
    assert found.values == {} and found.problems


def test_one_broken_line_hides_no_other(place: Place) -> None:
    content = '{"loss": 0.5}\n' + "[" * 100_000 + '\n\x00\xff\n{"loss": 0.25}\n'
    assert of_json(place, content.encode("latin-1"), "loss").values == {"loss": 0.25}


def test_of_a_table_the_last_filled_cell_of_each_column_counts(place: Place) -> None:
    found = of_csv(place, "step,loss,val_loss\n1,0.9,\n2,0.8,0.7\n3,0.6,\n\n")
    assert found.values == {"step": 3, "loss": 0.6, "val_loss": 0.7}
    assert found.last_steps["loss"] == (0.9, 0.8, 0.6)


@pytest.mark.parametrize(
    "content",
    [
        "a\tb\n1\t2\n",
        "a;b\n1;2\n",
        '"a","b"\r\n"1","2"\r\n',
        " a , b \n 1 , 2 \n",
        "\ufeffa,b\n1,2\n",
        "a,b\n1,2",
        "a,b,words\n1,2,three\n",
        "a,b\n1,2\n3,4,5,6\n",
    ],
)
def test_each_form_of_table_is_read(place: Place, content: str) -> None:
    assert of_csv(place, content, name="m.txt").values == {"a": 1, "b": 2}


def test_a_cell_that_is_not_finite_wins_when_it_comes_last(place: Place) -> None:
    assert math.isnan(of_csv(place, "loss\n0.5\nnan\n").values["loss"])


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"a,b\n", b"a\n" + b'"' * 300_000, b"\xff" * 9000, b"a\n\x00\r1"]
)
def test_a_broken_table_is_no_crash(place: Place, content: bytes) -> None:
    assert of_csv(place, content, "loss").values == {}


def test_of_a_huge_file_only_the_end_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TAIL_BYTES", 200_000)  # to count memory takes long
    rows, lines = b"1,0.5\n" * 3_000_000, b'{"loss": 0.5, "step": 1}\n' * 750_000
    tracemalloc.start()
    table = of_csv(place, b"step,loss\n" + rows + b"2,0.25\n").values
    record = of_json(place, lines + b'{"loss": 0.125}\n').values
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (table, record) == ({"step": 2, "loss": 0.25}, {"loss": 0.125, "step": 1})
    assert peak < 60_000_000  # the content above is a part of it
    assert "larger than 16 MB" in of_json(place, b'{"a": "' + b"x" * 17_000_000 + b'"}').problems[0]


@pytest.mark.parametrize("backend", ["json", "csv"])
def test_what_is_no_own_file_is_not_read_and_that_is_said(place: Place, backend: str) -> None:
    folder, content = place.run_dir, '{"loss": 0.1}' if backend == "json" else "loss\n0.1\n"
    (folder / "old.x").write_text(content)
    os.utime(folder / "old.x", (1, 1))
    (folder / "future.x").write_text(content)
    os.utime(folder / "future.x", (place.ended_at + 60, place.ended_at + 60))
    (folder.parent / "outside.x").write_text(content)
    (folder / "link.x").symlink_to(folder.parent / "outside.x")
    (folder / "far").symlink_to(folder.parent)
    (folder / "nothing.x").symlink_to("not_there")
    (folder / "folder.x").mkdir()
    os.mkfifo(folder / "pipe.x")
    said = {
        "old.x": "was not written while this run ran",
        "future.x": "was not written while this run ran",
        "link.x": "leads out of the run's folder",
        "far/outside.x": "leads out of the run's folder",
        "noth*.x": "is a link to nothing",
        "folder.x": "is no file",
        "pipe.x": "is no file",
        "missing.x": "the run wrote no file",
        "../outside.x": "leads out of the run's folder",
        str(folder.parent / "outside.x"): "leads out of the run's folder",
        "**x": "is no pattern",
        ".": "is no",
    }
    for path, why in said.items():
        found = read_metrics(backend, {"path": path}, place, ["loss"])
        assert found.values == {} and why in found.problems[0], path
    assert "names no file" in read_metrics(backend, {}, place, ["loss"]).problems[0]


def test_of_several_files_the_newest_counts(place: Place) -> None:
    for number, name in enumerate(("b.json", "a.json")):
        (place.run_dir / name).write_text(f'{{"loss": {number}}}')
        os.utime(place.run_dir / name, (place.began_at + number, place.began_at + number))
    found = read_metrics("json", {"path": "**/*.json"}, place, ["loss"])
    assert (found.values["loss"], found.sources) == (1, ("a.json",))


def test_a_link_within_the_folder_is_followed(place: Place) -> None:
    (place.run_dir / "real.json").write_text('{"loss": 0.5}')
    (place.run_dir / "latest.json").symlink_to("real.json")
    assert read_metrics("json", {"path": "latest.json"}, place, ["loss"]).values == {"loss": 0.5}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(place: Place) -> None:
    (place.run_dir / "m.json").write_text('{"loss": 0.5}')
    (place.run_dir / "m.json").chmod(0)
    found = read_metrics("json", {"path": "m.json"}, place, ["loss"])
    assert "cannot be read" in found.problems[0]
