"""What one line of the log of calls says, read into one frozen form whatever version wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flagstone.agents.protocol import Usage, valid_amount
from flagstone.records import decode_or_none, encode

USE = "use"  # a line of this kind is no call: it tells what else was used


@dataclass(frozen=True)
class CallLine:
    """A call of an agent, or what a run of an experiment used. What a line does not state is None or empty."""

    call: str = ""
    kind: str = ""
    agent: str = ""
    stage: str = ""
    experiment: str = ""
    run: str = ""
    attempt: int | None = None
    outcome: str = ""
    cost_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    wall_s: float | None = None
    gpu_s: float | None = None
    started_at: str = ""
    allowed: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def is_call(self) -> bool:
        return self.kind != USE

    @property
    def cost(self) -> float | None:
        """What the call cost. Returns None if that is unknown; a cost below zero is no cost."""
        return valid_amount(self.cost_usd)

    @property
    def gpu_hours(self) -> float:
        return (valid_amount(self.gpu_s) or 0.0) / 3600

    @property
    def wall_hours(self) -> float | None:
        seconds = valid_amount(self.wall_s)
        return None if seconds is None else seconds / 3600

    def allowed_amount(self, name: str) -> float | None:
        """How much of one thing the call might use, if it was limited."""
        return valid_amount(self.allowed.get(name))


def line_in(raw: bytes) -> CallLine | None:
    """The line in these bytes. Returns None if they hold no record.

    A field that is not what it should be is left out, and with it nothing else: the line still counts.
    """
    line = decode_or_none(raw, CallLine)
    if line is not None:
        return line
    record = decode_or_none(raw, dict[str, Any])
    return None if record is None else line_of_record(record)


def line_of_record(record: Mapping[str, object]) -> CallLine:
    """The same for a record that is at hand."""
    names = [each.name for each in fields(CallLine) if each.name in record]
    read = {name: decode_or_none(encode({name: record[name]}), CallLine) for name in names}
    return CallLine(**{name: getattr(line, name) for name, line in read.items() if line})
