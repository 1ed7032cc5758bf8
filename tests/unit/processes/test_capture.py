"""Output of any size and shape becomes a readable file at a bounded cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, run
from flagstone.processes.output import Lines
from flagstone.processes.secrets import Redactor

SECRET = "correct-horse-battery"


def test_a_long_log_keeps_its_beginning_and_its_end(ran: Callable[..., ProcessResult], output: Output) -> None:
    result = ran("seq 1 200000", output_mb=0.1)
    kept = output.stdout.read_text()
    assert kept.startswith("1\n2\n3\n")
    assert kept.endswith("199999\n200000\n")
    assert "bytes left out" in kept
    assert len(kept) < 101_000
    assert result.output_truncated
    assert result.output_bytes == 1_288_895


def test_the_bytes_left_out_are_counted_exactly(ran: Callable[..., ProcessResult], output: Output) -> None:
    result = ran("seq 1 50000", output_mb=0.02)
    before, _, rest = output.stdout.read_text().partition("[… ")
    number, _, after = rest.partition(" bytes left out …]\n")
    assert int(number) == result.output_bytes - len(before) - len(after)


def test_a_log_within_its_limit_is_kept_byte_by_byte(ran: Callable[..., ProcessResult], output: Output) -> None:
    result = ran(r"printf 'a\r\nb\000\377\n\nno end'")
    assert output.stdout.read_bytes() == b"a\r\nb\x00\xff\n\nno end"
    assert not result.output_truncated


def test_lines_that_are_too_long_are_cut_and_the_next_one_is_whole(
    shell: Callable[..., Command], output: Output
) -> None:
    lines: list[bytes] = []
    line = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo next; head -c 300000 /dev/zero | tr '\\0' y"
    run(shell(line), ProcessLimits(line_kb=10), output, lines.append)
    assert lines == [b"x" * 10_000 + b" [line cut]", b"next", b"y" * 10_000 + b" [line cut]"]


def test_a_listener_sees_every_line_also_beyond_the_limit_of_the_file(
    shell: Callable[..., Command], output: Output
) -> None:
    lines: list[bytes] = []
    run(shell("seq 1 20000"), ProcessLimits(output_mb=0.01), output, lines.append)
    assert lines == [b"%d" % number for number in range(1, 20001)]


def test_secrets_are_gone_before_anything_is_stored_or_heard(shell: Callable[..., Command], output: Output) -> None:
    lines: list[bytes] = []
    run(shell("echo it is $MY_API_KEY; echo $MY_API_KEY >&2", MY_API_KEY=SECRET), ProcessLimits(), output, lines.append)
    assert lines == [b"it is [redacted MY_API_KEY]"]
    assert output.stderr is not None
    assert SECRET not in output.stdout.read_text() + output.stderr.read_text()


def test_a_secret_across_a_cut_or_in_the_kept_end_is_gone_as_well(
    shell: Callable[..., Command], output: Output
) -> None:
    many = "head -c 9990 /dev/zero | tr '\\0' x"
    line = f"{many}; printf $MY_API_KEY; {many}; echo; seq 1 90000; echo the $MY_API_KEY"
    run(shell(line, MY_API_KEY=SECRET), ProcessLimits(line_kb=10, output_mb=0.1), output)
    kept = output.stdout.read_text()
    assert "line cut" in kept
    assert "correct" not in kept
    assert kept.endswith("the [redacted MY_API_KEY]\n")


def test_output_files_are_for_their_owner_only(ran: Callable[..., ProcessResult], output: Output) -> None:
    ran("echo private")
    assert output.stdout.stat().st_mode & 0o777 == 0o600


def test_a_huge_log_and_a_huge_line_cost_little_memory(tmp_path: Path) -> None:
    program = (
        "import re, sys\nfrom pathlib import Path\n"
        "from flagstone.processes import Command, Output, ProcessLimits, run\n"
        "here, line = Path(sys.argv[1]), sys.argv[2]\n"
        "run(Command(('sh', '-c', line), None, here, {}), ProcessLimits(line_kb=8000), Output(here / 'log'))\n"
        # not getrusage: that remembers the size of the process we were forked from
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    line = "yes 'step 1 loss 0.1234' | head -c 200000000; head -c 20000000 /dev/zero | tr '\\0' x"
    said = subprocess.run([sys.executable, "-c", program, str(tmp_path), line], capture_output=True, check=True)
    assert int(said.stdout) < 100_000
    assert (tmp_path / "log").stat().st_size < 101_000_000


def test_a_secret_that_comes_in_two_parts_around_the_cut_is_seen_whole() -> None:
    lines = Lines(10, Redactor.of({"MY_PASSWORD": "hunter22"}))
    kept = b"".join(lines.feed(part) for part in (b"xxxxxxxxhunt", b"er22" + b"z" * 5000, b"\nnext\n"))
    assert b"hu" not in kept
    assert kept.endswith(b"[line cut]\nnext\n")


def test_a_private_key_printed_slowly_reaches_no_file(ran: Callable[..., ProcessResult], output: Output) -> None:
    dashes = "-" * 5
    first, last = f"{dashes}BEGIN PRIVATE KEY{dashes}", f"{dashes}END PRIVATE KEY{dashes}"
    ran(f"for l in one '{first}' MIIEabcd MIIEefgh '{last}' two; do echo \"$l\"; sleep 0.03; done")
    assert output.stdout.read_text() == "one\n[redacted key]\ntwo\n"


def test_stdout_is_copied_to_the_last_byte_while_the_log_has_both_streams_and_is_cut(
    shell: Callable[..., Command], output: Output
) -> None:
    both = Output(output.stdout, output.stdout, output.stdout.with_name("whole"))
    line = "seq 1 200000; echo trouble >&2; printf 'no end\\377'"
    result = run(shell(line), ProcessLimits(output_mb=0.1), both)
    expected = subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout
    assert both.copy is not None and both.copy.read_bytes() == expected
    log = both.stdout.read_bytes()
    assert b"trouble\n" in log and b"bytes left out" in log and len(log) < 101_000
    assert result.output_truncated and result.is_copy_whole


def test_a_copy_that_would_be_too_large_ends_before_that_and_says_so(
    shell: Callable[..., Command], output: Output
) -> None:
    both = Output(output.stdout, output.stdout, output.stdout.with_name("whole"))
    result = run(shell("seq 1 200000"), ProcessLimits(copy_mb=0.2), both)
    assert not result.is_copy_whole
    assert both.copy is not None and both.copy.stat().st_size <= 200_000


def test_a_file_is_read_as_input_without_being_held_in_memory(
    shell: Callable[..., Command], output: Output, tmp_path: Path
) -> None:
    (tmp_path / "input").write_bytes(b"x" * 3_000_000)
    command = replace(shell("wc -c"), stdin=tmp_path / "input")
    run(command, ProcessLimits(), output)
    assert output.stdout.read_text().strip() == "3000000"
