"""Event files written by the real tensorboard package."""

from __future__ import annotations

import math
import os
import random
import struct
from collections.abc import Iterable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from flagstone.metrics import tensorboard
from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place
from flagstone.metrics.tensorboard import plain_scalar, scalars, values_from


def tensor(tag: str, value: float) -> Summary.Value:
    """A scalar as the second generation of writers leaves it."""
    return Summary.Value(
        tag=tag, tensor=TensorProto(dtype="DT_FLOAT", float_val=[value], tensor_shape=TensorShapeProto())
    )


def simple(tag: str, value: float) -> Summary.Value:
    return Summary.Value(tag=tag, simple_value=value)


def write(folder: Path, values: Iterable[Summary.Value]) -> Path:
    """One event file with one value a step."""
    before = set(folder.glob("*")) if folder.is_dir() else set()
    writer = EventFileWriter(str(folder))
    for step, value in enumerate(values):
        writer.add_event(Event(wall_time=step, step=step, summary=Summary(value=[value])))
    writer.close()
    (made,) = set(folder.glob("*")) - before
    return made


@pytest.mark.parametrize("kind", [simple, tensor])
def test_the_last_value_of_a_tag_is_read(place: Place, kind: object) -> None:
    make = kind if callable(kind) else simple
    write(place.run_dir / "logs", [make("val/loss", 1 / n) for n in range(1, 6)])
    found = read_metrics("tensorboard", {}, place, ["val/loss"])
    assert found.values["val/loss"] == pytest.approx(0.2)
    assert found.sources[0].startswith("logs/events.out.tfevents")


def test_a_tag_may_have_another_name_than_the_metric_and_nan_counts(place: Place) -> None:
    write(place.run_dir, [simple("eval/nll", 0.5), simple("eval/nll", math.nan), simple("lr", 0.1)])
    found = read_metrics("tensorboard", {"tag": "eval/nll"}, place, ["loss"]).values
    assert math.isnan(found["loss"])
    assert read_metrics("tensorboard", {}, place, []).values["lr"] == pytest.approx(0.1)


def test_of_several_files_the_newest_that_has_the_tag_counts(place: Place) -> None:
    first = write(place.run_dir / "a", [simple("loss", 0.9), simple("only", 3.0)])
    os.utime(first, (place.began_at, place.began_at))
    write(place.run_dir / "b", [simple("loss", 0.5)])
    found = read_metrics("tensorboard", {}, place, ["loss", "only"]).values
    assert (found["loss"], found["only"]) == (pytest.approx(0.5), pytest.approx(3.0))


def test_bytes_of_a_tag_in_another_record_do_not_deceive(place: Place) -> None:
    text = b"\x0a\x04loss" * 50
    words = Summary.Value(tag="note", tensor=TensorProto(dtype="DT_STRING", string_val=[text]))
    write(place.run_dir, [simple("loss", 0.25), words])
    assert read_metrics("tensorboard", {}, place, ["loss"]).values["loss"] == 0.25


@pytest.mark.parametrize("cut", [1, 5, 17, 40])
def test_a_torn_last_record_is_passed_over(place: Place, cut: int) -> None:
    path = write(place.run_dir, [simple("loss", 0.75), simple("loss", 0.5), simple("loss", 0.25)])
    path.write_bytes(path.read_bytes()[:-cut])
    found = read_metrics("tensorboard", {}, place, ["loss"])
    assert found.values["loss"] == 0.5
    assert "is damaged" in found.problems[0]


@pytest.mark.parametrize("of_the_end", [8, 33], ids=["payload", "head"])
def test_a_damaged_record_is_not_believed(place: Place, of_the_end: int) -> None:
    path = write(place.run_dir, [simple("loss", 0.75), simple("loss", 0.5)])
    content = bytearray(path.read_bytes())
    content[-of_the_end] ^= 0xFF
    path.write_bytes(bytes(content))
    found = read_metrics("tensorboard", {}, place, ["loss"])
    assert found.values["loss"] == 0.75 and "is damaged" in found.problems[0]


def test_a_missing_tag_shows_the_others_and_another_runs_file_is_not_read(place: Place) -> None:
    path = write(place.run_dir, [simple("train/loss", 0.5)])
    found = read_metrics("tensorboard", {}, place, ["val/loss"]).values
    assert "val/loss" not in found and found["train/loss"] == 0.5
    os.utime(path, (1, 1))
    assert "no event file" in read_metrics("tensorboard", {}, place, ["train/loss"]).problems[0]


def test_a_damaged_record_in_the_middle_ends_the_reading_of_all_tags(place: Place) -> None:
    path = write(place.run_dir, [simple("a", 1.0), simple("b", 2.0), simple("loss", 0.5), simple("a", 3.0)])
    content = path.read_bytes()
    at = content.index(b"\x0a\x01b")
    path.write_bytes(content[:at] + b"\x0a\x01c" + content[at + 3 :])
    everything = read_metrics("tensorboard", {}, place, [])
    assert everything.values == {"a": 1.0} and "is damaged" in everything.problems[0]
    # a later record that is whole is as good as its checksum
    assert read_metrics("tensorboard", {}, place, ["a"]).values["a"] == 3.0


def test_a_torn_end_is_told_even_where_it_is_of_another_tag(place: Place) -> None:
    path = write(place.run_dir, [simple("loss", 0.5), simple("accuracy", 0.25)])
    path.write_bytes(path.read_bytes()[:-2])
    found = read_metrics("tensorboard", {}, place, ["loss"])
    assert found.values["loss"] == 0.5 and "is damaged" in found.problems[0]


def test_after_a_restart_the_file_that_was_begun_last_counts_whatever_its_time(place: Place) -> None:
    first = write(place.run_dir, [simple("loss", 0.9), simple("old", 1.0)])
    write(place.run_dir, [simple("loss", 0.5)])
    os.utime(first, (place.began_at + 30, place.began_at + 30))
    assert read_metrics("tensorboard", {}, place, ["loss"]).values["loss"] == 0.5
    assert read_metrics("tensorboard", {}, place, []).values == {"loss": 0.5, "old": 1.0}


def test_a_record_longer_than_the_search_reaches_is_read_all_the_same(place: Place) -> None:
    write(place.run_dir, [simple("loss", 0.75)])
    words = Summary.Value(tag="note", tensor=TensorProto(dtype="DT_STRING", string_val=[b"\x01" * 1_200_000]))
    writer = EventFileWriter(str(place.run_dir), filename_suffix=".later")
    writer.add_event(Event(wall_time=1, summary=Summary(value=[words, simple("loss", 0.5)])))
    writer.close()
    found = read_metrics("tensorboard", {}, place, ["loss"])
    assert found.values["loss"] == 0.5 and not found.problems


def test_many_places_that_look_like_the_tag_end_in_reading_every_record(place: Place) -> None:
    text = b"\x0a\x04loss"
    words = Summary.Value(tag="note", tensor=TensorProto(dtype="DT_STRING", string_val=[text]))
    write(place.run_dir, [simple("loss", 0.75)])
    write(place.run_dir, [simple("loss", 0.25), *[words] * 100])
    assert read_metrics("tensorboard", {}, place, ["loss"]).values["loss"] == 0.25


def test_a_missing_tag_costs_no_wrong_values_of_others(place: Place) -> None:
    write(place.run_dir, [simple("train", float(n)) for n in range(500)])
    assert read_metrics("tensorboard", {}, place, ["val"]).values == {"train": 499.0}


def test_a_missing_constraint_does_not_make_every_record_be_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    write(place.run_dir, [simple(("train", "val")[n % 2], float(n)) for n in range(500)])
    asked: list[int | None] = []

    def counted(content: tensorboard.Bytes, start: int, most: int | None = None) -> tuple[dict[str, float], str]:
        asked.append(most)
        return values_from(content, start, most)

    monkeypatch.setattr(tensorboard, "values_from", counted)
    assert read_metrics("tensorboard", {}, place, ["val", "peak_vram_mb"]).values == {"val": 499.0}
    assert read_metrics("tensorboard", {}, place, ["loss"]).values == {"train": 498.0, "val": 499.0}
    assert None not in asked


def test_the_value_stands_under_the_metrics_name_and_under_the_tag_and_no_namesake_counts(place: Place) -> None:
    write(place.run_dir, [simple("eval/nll", 0.5), simple("loss", 0.1)])
    found = read_metrics("tensorboard", {"tag": "eval/nll"}, place, ["loss"]).values
    assert found == {"loss": 0.5, "eval/nll": 0.5}
    assert "loss" not in read_metrics("tensorboard", {"tag": "eval/other"}, place, ["loss"]).values


def test_names_of_any_length_and_numbers_of_either_width_are_read(place: Place) -> None:
    name = "päth/" * 40_000
    raw = TensorProto(dtype="DT_DOUBLE", tensor_content=struct.pack("<d", 0.1))
    several = TensorProto(dtype="DT_FLOAT", float_val=[1.0, 2.0])
    values = [simple(name, 0.5), Summary.Value(tag="raw", tensor=raw), Summary.Value(tag="many", tensor=several)]
    write(place.run_dir, values)
    found = read_metrics("tensorboard", {}, place, [name, "raw", "many"])
    assert found.values == {name: 0.5, "raw": 0.1}


@pytest.mark.parametrize("tag", ["loss", "a\x15bcde", "\n\x04loss", "x" * 118, "x" * 119, "ä", ""])
@pytest.mark.parametrize("step", [0, 1, 300, 1 << 40, -1])
def test_the_short_way_to_a_scalar_finds_what_the_long_way_finds(tag: str, step: int) -> None:
    for values in ([simple(tag, 0.5)], [tensor(tag, 0.5)], [simple(tag, 0.5), simple("other", 2.0)]):
        event = Event(wall_time=1.5, step=step, summary=Summary(value=values)).SerializeToString()
        assert dict(scalars(event))[tag] == 0.5
        assert plain_scalar(event) in ((), tuple(scalars(event)))
    assert plain_scalar(
        Event(wall_time=1.5, step=step, summary=Summary(value=[simple("loss", 0.5)])).SerializeToString()
    )


@pytest.mark.parametrize("pattern", ["/tmp/*", "../*", "**x/[", "logs/*"])
def test_a_pattern_that_leads_nowhere_is_a_problem_and_no_crash(place: Place, pattern: str) -> None:
    write(place.run_dir, [simple("loss", 0.5)])
    found = read_metrics("tensorboard", {"glob": pattern}, place, ["loss"])
    assert found.values == {} and pattern in found.problems[0]


def test_garbage_and_empty_files_are_no_crash(place: Place) -> None:
    (place.run_dir / "events.out.tfevents.1.x").write_bytes(b"")
    (place.run_dir / "events.out.tfevents.2.x").write_bytes(bytes(range(256)) * 64)
    assert read_metrics("tensorboard", {}, place, ["loss"]).values == {}


@pytest.mark.parametrize("seed", range(25))
def test_our_reader_finds_what_tensorboard_finds(seed: int, place: Place) -> None:
    """TensorBoard is the referee, over files drawn at random: both generations of scalars, some files cut off."""
    chance = random.Random(seed)
    names = [f"{chance.choice(['loss', 'val/loss', 'lr', 'ü'])}{number}" for number in range(chance.randint(1, 5))]
    kinds = {name: chance.choice([simple, tensor]) for name in names}
    drawn = [chance.choice([0.0, 1e-30, 1e30, math.inf, chance.uniform(-5, 5)]) for _ in range(chance.randint(1, 60))]
    path = write(place.run_dir / "logs", [kinds[name := chance.choice(names)](name, value) for value in drawn])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - chance.choice([0, 0, 1, 7, 30])])
    assert read_metrics("tensorboard", {}, place, []).values == found_by_tensorboard(path.parent)


def found_by_tensorboard(folder: Path) -> dict[str, float]:
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    tensors = {tag: read.Tensors(tag)[-1].tensor_proto for tag in read.Tags()["tensors"]}
    scalars = {tag: read.Scalars(tag)[-1].value for tag in read.Tags()["scalars"]}
    return scalars | {tag: float(tensor_util.make_ndarray(each)) for tag, each in tensors.items()}
