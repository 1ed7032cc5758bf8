"""What a wandb run has summed up; the transaction log is one that wandb 0.31 wrote, offline."""

from __future__ import annotations

import math
import os
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from flagstone.metrics import wandb
from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place
from flagstone.metrics.wandb import records

REAL = Path(__file__).resolve().parents[2] / "data" / "wandb_offline_run" / "run-example.wandb"


def offline(place: Place, name: str = "offline-run-20260101_000000-abc") -> Path:
    folder = place.run_dir / "wandb" / name
    folder.mkdir(parents=True)
    shutil.copyfile(REAL, folder / "run-abc.wandb")
    return folder


def test_the_transaction_log_of_a_real_offline_run_is_read(place: Place) -> None:
    offline(place)
    found = read_metrics("wandb", {}, place, ["val/loss"])
    assert found.values["val/loss"] == 0.2
    assert (found.values["final"], found.values["nested/a"], found.values["nested.a"]) == (7.5, 4.0, 4.0)
    assert math.isnan(found.values["bad"])


@pytest.mark.parametrize("size", range(0, 2488, 311))
def test_a_log_that_is_cut_off_tells_what_it_holds(place: Place, size: int) -> None:
    folder = offline(place)
    (folder / "run-abc.wandb").write_bytes(REAL.read_bytes()[:size])
    assert set(read_metrics("wandb", {}, place, ["val/loss"]).values.values()) <= {
        *(1 / n for n in range(1, 6)),
        *read_metrics("wandb", {}, place, []).values.values(),
    }


def test_a_summary_file_counts_before_the_log(place: Place) -> None:
    files = offline(place) / "files"
    files.mkdir()
    (files / "wandb-summary.json").write_text('{"val": {"loss": 0.125}, "x": "NaN", "name": "run"}')
    values = read_metrics("wandb", {}, place, ["val/loss"]).values
    assert values["val/loss"] == values["val.loss"] == 0.125
    assert math.isnan(values["x"]) and "name" not in values


def test_the_run_of_another_time_is_not_read(place: Place) -> None:
    old = offline(place)
    os.utime(old / "run-abc.wandb", (1, 1))
    assert read_metrics("wandb", {}, place, ["val/loss"]).values == {}


def test_garbage_in_place_of_a_log_is_a_problem_and_no_crash(place: Place) -> None:
    (offline(place) / "run-abc.wandb").write_bytes(bytes(range(256)) * 500)
    found = read_metrics("wandb", {}, place, ["val/loss"])
    assert found.values == {} and "no summary" in found.problems[-1]


def test_auto_looks_for_wandb_first_and_says_so(place: Place) -> None:
    place.log.write_text("val/loss: 9\n")
    assert read_metrics("auto", {}, place, ["val/loss"]).backend == "log"
    offline(place)
    found = read_metrics("auto", {}, place, ["val/loss"])
    assert (found.backend, found.values["val/loss"]) == ("wandb", 0.2)


def message(number: int, content: bytes) -> bytes:
    """One field of bytes of a short message."""
    return bytes([number << 3 | 2, len(content)]) + content


def log_of(*contents: bytes, block: int = 32_768) -> bytes:
    """A transaction log with these records; what does not fit into a block goes on in the next."""
    found = bytearray(REAL.read_bytes()[:7])
    for content in contents:
        left, is_first = content, True
        while left or is_first:
            room = block - len(found) % block
            if room < 7:
                found += bytes(room)
                continue
            part, left = left[: room - 7], left[room - 7 :]
            kind = (1 if not left else 2) if is_first else (4 if not left else 3)
            found += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            is_first = False
    return bytes(found)


def test_a_summary_file_of_another_time_or_place_is_not_believed(place: Place, tmp_path: Path) -> None:
    folder = offline(place)
    (folder / "files").mkdir()
    summary = folder / "files" / "wandb-summary.json"
    summary.write_text('{"val/loss": 0.001}')
    os.utime(summary, (1, 1))
    assert read_metrics("wandb", {}, place, ["val/loss"]).values["val/loss"] == 0.2
    summary.unlink()
    (tmp_path / "elsewhere.json").write_text('{"val/loss": 0.001}')
    summary.symlink_to(tmp_path / "elsewhere.json")
    assert read_metrics("wandb", {}, place, ["val/loss"]).values["val/loss"] == 0.2


def test_the_log_of_another_time_beside_a_new_file_is_not_believed(place: Place) -> None:
    folder = offline(place)
    os.utime(folder / "run-abc.wandb", (1, 1))
    (folder / "files").mkdir()
    (folder / "files" / "requirements.txt").write_text("torch")
    assert read_metrics("wandb", {}, place, ["val/loss"]).values == {}


def test_what_wandb_keeps_for_itself_is_left_out_unless_it_is_wanted(place: Place) -> None:
    offline(place)
    assert not [name for name in read_metrics("wandb", {}, place, []).values if name.startswith("_")]
    assert read_metrics("wandb", {}, place, ["_step"]).values["_step"] >= 4


def test_a_damaged_log_says_where_and_keeps_what_stood_before(place: Place) -> None:
    folder = offline(place)
    content = bytearray(REAL.read_bytes())
    content[-3] ^= 0xFF
    (folder / "run-abc.wandb").write_bytes(bytes(content))
    found = read_metrics("wandb", {}, place, ["val/loss"])
    assert found.values["val/loss"] == 0.2 and "is damaged" in found.problems[0]


def test_a_record_longer_than_a_block_is_put_together_again() -> None:
    contents = [b"a" * 32_740, b"b" * 100_000, b"", b"c"]
    assert list(records(log_of(*contents))) == contents


def test_newer_typed_values_count_and_a_removed_name_is_gone(place: Place) -> None:
    number = message(1, message(1, b"loss") + b"\x31" + struct.pack("<d", 0.5))
    integer = message(1, message(1, b"left") + b"\x28\x05")
    nested = message(1, message(2, b"old") + message(2, b"a") + b"\x82\x01\x011")
    gone = message(3, message(2, message(1, b"old")))
    folder = offline(place)
    log = folder / "run-abc.wandb"
    log.write_bytes(log_of(message(2, number + integer + nested)))
    assert read_metrics("wandb", {}, place, []).values == {"loss": 0.5, "left": -3, "old.a": 1, "old/a": 1}
    log.write_bytes(log_of(message(2, number + integer + nested), gone))
    assert read_metrics("wandb", {}, place, []).values == {"loss": 0.5, "left": -3}


def test_a_folder_may_be_named_and_the_newest_run_counts(place: Place) -> None:
    for name, loss, age in (("run-1-a", 0.5, 0), ("run-2-b", 0.25, -1)):
        summary = place.run_dir / "out" / name / "files" / "wandb-summary.json"
        summary.parent.mkdir(parents=True)
        summary.write_text(f'{{"loss": {loss}}}')
        os.utime(summary, (place.began_at + 1 + age,) * 2)
    assert read_metrics("wandb", {"dir": "out"}, place, ["loss"]).values["loss"] == 0.5
    assert "no wandb run" in read_metrics("wandb", {"dir": "../out"}, place, ["loss"]).problems[0]


def set_to(name: bytes, value: bytes) -> bytes:
    """A record that sets a name to a value in JSON."""
    item = message(2, name) + b"\x82\x01" + bytes([len(value)]) + value
    return message(3, message(1, item))


def test_what_was_set_long_before_the_end_is_found_and_what_came_later_counts(place: Place) -> None:
    folder = offline(place)
    noise = [set_to(b"lr", str(number).encode()) for number in range(5000)]
    early = [set_to(b"best", b"0.25"), set_to(b"loss", b"0.5"), set_to(b"loss", b"NaN"), set_to(b"gone", b"1")]
    log = log_of(set_to(b"loss", b"0.75"), *early, *noise, message(3, message(2, message(1, b"gone"))))
    (folder / "run-abc.wandb").write_bytes(log)
    found = read_metrics("wandb", {}, place, ["best", "loss", "gone", "peak_vram_mb"]).values
    assert (found["best"], found["lr"]) == (0.25, 4999) and math.isnan(found["loss"]) and "gone" not in found


def test_of_a_huge_log_the_end_is_read_from_the_beginning_of_a_block(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb, "LARGEST", 70_000)
    folder = offline(place)
    padding = message(9, b"x" * 100) * 400
    long = [message_of(3, set_to(b"loss", str(number).encode())[2:] + padding) for number in range(9)]
    (folder / "run-abc.wandb").write_bytes(log_of(set_to(b"early", b"1"), *long))
    found = read_metrics("wandb", {}, place, ["loss", "early"])
    assert found.values == {"loss": 8} and "only its last" in found.problems[0]


def message_of(number: int, content: bytes) -> bytes:
    """One field of bytes of any length."""
    length, head = len(content), bytearray([number << 3 | 2])
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*head, length]) + content
