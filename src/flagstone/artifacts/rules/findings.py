"""What a check found: a rule's id, how it went, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["passed", "failed", "not checked"]


@dataclass(frozen=True)
class RuleCheck:
    """How one rule went; a rule nobody looked at is `not checked`, never `passed`."""

    rule: str
    status: CheckStatus
    message: str


def passed_check(rule: str, message: str) -> RuleCheck:
    return RuleCheck(rule, "passed", message)


def failed_check(rule: str, message: str) -> RuleCheck:
    return RuleCheck(rule, "failed", message)


def skipped_check(rule: str, message: str) -> RuleCheck:
    return RuleCheck(rule, "not checked", message)
