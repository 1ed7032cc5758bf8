"""Results survive the way to disk and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lazy_loader
import pytest

import flagstone
from flagstone.agents.protocol import AgentResult, CallOutcome, Usage
from flagstone.records import decode, encode
from flagstone.text import one_line


def test_a_result_comes_back_from_its_record_unchanged() -> None:
    result = AgentResult(
        outcome=CallOutcome.RETRYABLE,
        reason="slow down",
        text="ünï",
        session_id="s",
        exit_code=1,
        cost_usd=0.5,
        usage=Usage(1, None, 3, 4),
        turns=2,
        tools={"Read": 2},
        denied=("Bash: rm",),
        retry_after_s=9.0,
        structured={"a": [1]},
        started_at="2026-01-01T00:00:00.000Z",
        ended_at="2026-01-01T00:00:01.000Z",
    )
    assert decode(encode(result), AgentResult) == result


def test_what_is_unknown_stays_unknown() -> None:
    raw = b'{"outcome": "ok", "reason": "", "text": "", "session_id": "", "cost_usd": null, "usage": {"strange": 1}}'
    result = decode(raw, AgentResult)
    assert (result.cost_usd, result.turns, result.usage) == (None, None, Usage())


def test_a_record_without_an_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="outcome"):
        decode(b"{}", AgentResult)
    with pytest.raises(ValueError, match="perfect"):
        decode(b'{"outcome": "perfect"}', AgentResult)


def test_a_huge_text_becomes_one_line_quickly() -> None:
    assert len(one_line("x " * 10_000_000)) == 200


def test_loading_the_protocol_loads_nothing_heavy() -> None:
    heavy = "subprocess ctypes asyncio json tempfile hashlib logging flagstone.processes flagstone.records yaml"
    program = (
        f"import sys; sys.path[:0] = {[str(Path(each.__file__).parents[1]) for each in (flagstone, lazy_loader)]}\n"
        f"import flagstone.agents.protocol; print([m for m in {heavy.split()} if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-SEc", program], capture_output=True, check=True)
    assert said.stdout == b"[]\n"
