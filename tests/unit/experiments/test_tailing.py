"""The end of a log: the reason it ended there is in it, and it is short."""

from __future__ import annotations

import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flagstone.experiments.measuring.log_end import MOST_BYTES, tail_text

NOISE = [f"step {number} loss=0.{number:05d} lr=3.0e-4 tokens={number * 1024}" for number in range(10_000)]


def one(depth: int) -> None:
    if depth == 0:
        raise ValueError("the width 37 is no multiple of 8")
    two(depth - 1)


def two(depth: int) -> None:
    # two functions in turn: Python shortens the repetition of one by itself
    if depth == 0:
        raise ValueError("the width 37 is no multiple of 8")
    one(depth - 1)


def deep_chain() -> list[str]:
    """A real traceback of 500 frames, raised from another."""
    try:
        try:
            one(450)
        except ValueError as error:
            raise RuntimeError("the model cannot be built") from error
    except RuntimeError:
        try:
            two(499)
        except ValueError:
            return traceback.format_exc(limit=None).splitlines()
    raise AssertionError


def written(tmp_path: Path, *parts: list[str] | str, prefix: str = "") -> Path:
    path = tmp_path / "run.log"
    lines = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    path.write_text("".join(f"{prefix}{line}\n" for line in lines))
    return path


def told(path: Path, lines: int = 80) -> str:
    text = tail_text(path, lines)
    assert len(text.encode()) <= MOST_BYTES
    assert len(text.splitlines()) <= lines + 1
    return text


def test_a_deep_chained_traceback_of_a_rank_is_told_under_noise(tmp_path: Path) -> None:
    chain = [f"[rank3]: {line}" for line in deep_chain()]
    text = told(written(tmp_path, NOISE[:50], chain, NOISE))
    assert "[rank3]: ValueError: the width 37 is no multiple of 8" in text
    assert "RuntimeError: the model cannot be built" in text
    assert "frames left out …]" in text
    assert "in deep_chain" in text and "raise ValueError" in text
    assert "step 9999" in text


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 12, 40, 80, 300])
def test_the_exception_line_has_room_however_few_lines_are_asked_for(lines: int, tmp_path: Path) -> None:
    assert "ValueError: the width 37" in told(written(tmp_path, deep_chain(), NOISE), lines)


def test_a_short_log_is_told_whole(tmp_path: Path) -> None:
    assert told(written(tmp_path, "one", "two", "", "three")) == "one\ntwo\n\nthree\n"


def test_ranks_that_write_at_once_are_told_apart(tmp_path: Path) -> None:
    other = [line.replace("ValueError: the width 37 is no multiple of 8", "KeyError: 'wte'") for line in deep_chain()]
    mixed = [
        row
        for left, right in zip(deep_chain(), other, strict=True)
        for row in (f"[rank0]: {left}", f"[rank1]: {right}")
    ]
    text = told(written(tmp_path, mixed, NOISE))
    assert "[rank1]: KeyError: 'wte'" in text
    assert "[rank0]: ValueError: the width 37 is no multiple of 8" in text


def test_ranks_whose_lines_begin_with_the_time_are_told(tmp_path: Path) -> None:
    lines = [f"2026-01-01 10:00:{number % 60:02d},123 [rank1]: {row}" for number, row in enumerate(deep_chain())]
    assert "ValueError: the width 37" in told(written(tmp_path, lines, NOISE))


def test_noise_between_the_frames_does_not_hide_the_exception(tmp_path: Path) -> None:
    lines = [row for pair in zip(deep_chain(), NOISE, strict=False) for row in pair]
    text = told(written(tmp_path, lines, NOISE))
    assert "raise ValueError" in text and "frames left out …]\n" in text
    assert "ValueError: the width 37 is no multiple of 8\n" in text


def test_the_exception_of_a_run_comes_before_that_of_its_launcher(tmp_path: Path) -> None:
    launcher = [
        "Traceback (most recent call last):",
        '  File "/bin/torchrun", line 8, in <module>',
        "    sys.exit(main())",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
        "train.py FAILED",
    ]
    text = told(written(tmp_path, [f"[rank0]: {line}" for line in deep_chain()], NOISE[:500], launcher))
    assert "ValueError: the width 37" in text and "ChildFailedError" in text
    assert "raise ValueError" in text


def test_a_launcher_alone_is_told_as_it_is(tmp_path: Path) -> None:
    lines = ["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "CalledProcessError: 1"]
    assert "CalledProcessError" in told(written(tmp_path, lines, NOISE))


def test_the_members_of_an_exception_group_are_told(tmp_path: Path) -> None:
    try:
        raise ExceptionGroup("two shards failed", [ValueError("shard 1"), KeyError("shard 2")])
    except ExceptionGroup:
        text = told(written(tmp_path, traceback.format_exc().splitlines(), NOISE))
    assert "ValueError: shard 1" in text and "KeyError: 'shard 2'" in text and "two shards failed" in text


@pytest.mark.parametrize(
    "line",
    [
        "Segmentation fault (core dumped)",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
        "Killed",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.0",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "Fatal Python error: Aborted",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "thread 'main' panicked at src/main.rs:4:5",
    ],
)
def test_a_native_crash_is_told_under_noise(line: str, tmp_path: Path) -> None:
    assert line in told(written(tmp_path, NOISE[:20], line, NOISE))


def test_a_crash_after_a_traceback_that_was_caught_is_told_as_well(tmp_path: Path) -> None:
    text = told(written(tmp_path, deep_chain(), NOISE, "Segmentation fault (core dumped)"))
    assert "ValueError: the width 37" in text and "Segmentation fault" in text


def test_a_traceback_that_was_cut_off_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    text = told(written(tmp_path, NOISE[:10], deep_chain()[:7]))
    assert "Traceback" in text and "in deep_chain" in text


def test_terminal_sequences_and_control_characters_are_left_out(tmp_path: Path) -> None:
    coloured = [f"\x1b[31m{line}\x1b[0m" for line in deep_chain()]
    path = tmp_path / "run.log"
    content = "\n".join([*coloured, "\x1b]0;title\x07bell\x07\x00 \u202ereversed", "50%\r100%\r\n", "done\r\n"])
    path.write_text(content)
    text = told(path)
    assert "ValueError: the width 37" in text
    assert all(mark == "\n" or mark.isprintable() for mark in text)
    assert "bell reversed" in text and "done" in text
    assert "[31m" not in text and "title" not in text


def test_bytes_that_are_no_text_are_told_within_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(bytes(range(256)) * 4000)
    assert told(path)
    path.write_text(("🎉" * 500 + "\n") * 100)
    assert "🎉" in told(path)


def test_a_log_that_ends_with_very_many_empty_lines_is_read_in_no_time(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"the last word\n" + b"\n" * 200_000)
    began = time.process_time()
    assert tail_text(log) == "the last word\n"
    assert time.process_time() - began < 5  # it took minutes


def test_a_log_that_is_empty_or_missing_says_so(tmp_path: Path) -> None:
    assert "nothing was printed" in told(written(tmp_path))
    assert "no log" in told(tmp_path / "none.log")


def traced(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def large_log(path: Path) -> None:
    """1 GB, most of it blocks that were never written: a traceback, a line of 20 MB, noise, and a long silence."""
    with open(path, "wb") as stream:
        stream.write("\n".join(deep_chain()).encode() + b"\n")
        for _ in range(20):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\n" + "\n".join(NOISE).encode() + b"\n")
        stream.seek(10**9)
        stream.write(b"\nthe last line\n")


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "run.log"
    large_log(path)
    yield path
    path.unlink()


def test_a_log_of_a_gigabyte_with_a_line_of_20_mb_is_read_within_20_mb(large: Path) -> None:
    texts: list[str] = []
    assert traced(lambda: texts.append(told(large))) < 20_000_000
    assert "ValueError: the width 37" in texts[0] and "the last line" in texts[0]


def test_an_exception_whose_message_is_20_mb_long_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, deep_chain()[:9], "ValueError: " + "y" * 20_000_000, "after")
    texts: list[str] = []
    assert traced(lambda: texts.append(told(path))) < 20_000_000
    assert "ValueError: yyy" in texts[0] and "bytes left out …]" in texts[0]


def test_a_log_that_ends_with_its_traceback_tells_it_once(tmp_path: Path) -> None:
    rows = ["Traceback (most recent call last):", '  File "train.py", line 1, in <module>', "ValueError: no data here"]
    assert told(written(tmp_path, "loading", rows)) == "\n".join(["loading", *rows]) + "\n"
    text = told(written(tmp_path, NOISE, rows), 12)
    assert text.count("ValueError: no data here") == 1 and len(text.splitlines()) == 12
