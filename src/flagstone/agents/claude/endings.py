"""Decides how a call ended, by everything that a coding CLI left."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from flagstone.agents.claude.events import Stream, text_of
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, valid_count
from flagstone.text import count_text, one_line

REASON_CHARACTERS = 500
# what the CLI is willing to wait by itself; if more is asked for, it gives up at once and does not say how much
PATIENCE_S = 60.0
ASKED_TO_WAIT = (429, 503, 529)
SUBTYPES = {
    "error_max_turns": (CallOutcome.TURNS, "the turns allowed for this call are used up"),
    "error_max_budget_usd": (CallOutcome.BUDGET, "the money allowed for this call is spent"),
    "error_max_structured_output_retries": (CallOutcome.SCHEMA, "no answer had the form that was asked for"),
}
# in this order: an expired key may also be reported as a failed connection
WORDINGS = (
    (CallOutcome.SESSION_LOST, r"no conversation found"),
    (CallOutcome.SESSION_BUSY, r"already in use"),
    (CallOutcome.CONTEXT, r"prompt is too long|prompt_too_long|exceeds? the context|context length"),
    (
        CallOutcome.AUTH,
        r"not logged in|invalid api key|run /login|authenticat|oauth token|credit balance|unauthorized",
    ),
    (CallOutcome.RETRYABLE, r"usage limit|rate.?limit|limit reached|overloaded|too many requests"),
    (
        CallOutcome.RETRYABLE,
        r"\b(http|status|error|code)\W{0,3}(429|5\d\d)\b|^\W*(429|5\d\d)\b"
        r"|server error|bad gateway|service unavailable",
    ),
    (
        CallOutcome.RETRYABLE,
        r"connection (error|refused|reset|closed|lost)|econn|enotfound|eai_again|epipe|etimedout",
    ),
    (
        CallOutcome.RETRYABLE,
        r"tim(ed|e) ?out|socket hang up|network error|fetch failed|stream (closed|ended|idle)"
        r"|empty or malformed response",
    ),
)
WAIT = re.compile(r"retry[- _]after[\"':= ]+(\d+(?:\.\d+)?)", re.IGNORECASE)
RESET = re.compile(r"limit reached\|(\d{10})\b")


@dataclass(frozen=True)
class Leftovers:
    """What a call left: how the process ended, the end of its errors, and what was asked of it."""

    exit_code: int | None
    signal: int | None
    ending: str
    unclean_pids: tuple[int, ...]
    stderr: str
    wants_structure: bool
    now_s: float


@dataclass(frozen=True)
class Ending:
    """How a call ended, why, and how long the other side asked us to wait."""

    outcome: CallOutcome
    reason: str
    retry_after_s: float | None = None


def stream_result(call: AgentCall, stream: Stream, left: Leftovers) -> AgentResult:
    """The result of a call. Its cost is the one that the stream reports: that of the whole conversation."""
    ending = ending_of(stream, left)
    ignored = f"; ignored {count_text(stream.strangers, 'line')} of another session" if stream.strangers else ""
    return AgentResult(
        outcome=ending.outcome,
        reason=ending.reason + ignored,
        text=stream.last_text,
        session_id=stream.session_id or call.conversation.session_id,
        exit_code=left.exit_code,
        cost_usd=stream.total_cost_usd,
        usage=stream.usage,
        turns=stream.turns,
        tools=dict(stream.tools),
        denied=stream.denials,
        retry_after_s=ending.retry_after_s,
        structured=(stream.result or {}).get("structured_output"),
    )


def ending_of(stream: Stream, left: Leftovers) -> Ending:
    """How a call ended. Neither an exit code nor a result event is believed alone."""
    if left.unclean_pids:
        pids = ", ".join(map(str, left.unclean_pids))
        return Ending(CallOutcome.UNCLEAN, f"processes of this call could not be ended: {pids}")
    if left.ending == "wall":
        return Ending(CallOutcome.TIMEOUT, "exceeded its time limit and was ended")
    if left.ending == "silence":
        return Ending(CallOutcome.SILENT, "had no output for longer than allowed and was ended")
    if stream.result is None:
        return ending_without_result(stream, left)
    reason = str(stream.result.get("terminal_reason"))
    if reason.startswith("aborted"):
        return Ending(CallOutcome.CRASHED, f"was interrupted, and not by us ({reason}){last_words(stream.text)}")
    if stream.result.get("is_error") or stream.result.get("subtype") != "success":
        return ending_of_error(stream, left)
    return ending_of_success(stream, left)


def ending_of_success(stream: Stream, left: Leftovers) -> Ending:
    """A result that says success is one only if everything else says so too."""
    result = stream.result or {}
    reason = result.get("terminal_reason")
    if reason != "completed":
        return Ending(CallOutcome.MALFORMED, f"the result does not say that the work was completed: {reason}")
    # after its result the CLI may hang on a background command; that we ended it then is no failure
    if left.exit_code != 0 and left.ending != "grace":
        return Ending(CallOutcome.CRASHED, f"reported success, but {exit_words(left)}")
    if left.wants_structure and result.get("structured_output") is None:
        return Ending(CallOutcome.SCHEMA, "the answer does not have the required form")
    if not stream.last_text and not stream.tools and result.get("structured_output") is None:
        return Ending(CallOutcome.MALFORMED, "the answer is empty")
    return Ending(CallOutcome.OK, "completed")


def ending_of_error(stream: Stream, left: Leftovers) -> Ending:
    """The result itself reports an error."""
    result = stream.result or {}
    words = " ".join(filter(None, (text_of(result.get("result")), text_of(result.get("errors")), left.stderr)))
    known = SUBTYPES.get(str(result.get("subtype")))
    if known:
        return Ending(*known)
    if result.get("terminal_reason") in ("prompt_too_long", "image_error"):
        return Ending(CallOutcome.CONTEXT, brief(words) or "the conversation has become too long")
    outcome = (
        by_status(valid_count(result.get("api_error_status")), words) or by_wording(words) or CallOutcome.MALFORMED
    )
    wait_s = retry_after_s(stream, words, left.now_s) if outcome is CallOutcome.RETRYABLE else None
    return Ending(outcome, brief(words) or f"failed: {brief(json.dumps(result, default=str))}", wait_s)


def ending_without_result(stream: Stream, left: Leftovers) -> Ending:
    """The ending of a CLI that stopped, or was stopped, before it reported a result."""
    said = f"{left.stderr}\n{stream.odd_text}".strip()
    outcome = by_wording(said)
    if outcome in (CallOutcome.SESSION_LOST, CallOutcome.SESSION_BUSY, CallOutcome.AUTH):
        return Ending(outcome, brief(said))
    if outcome is CallOutcome.RETRYABLE and stream.events == 0:
        return Ending(outcome, brief(said), retry_after_s(stream, said, left.now_s))
    quoted = last_words(said or stream.text)
    if left.signal is not None or (left.exit_code or 0) > 128 or stream.events:
        return Ending(CallOutcome.CRASHED, f"{exit_words(left)} before there was a result{quoted}")
    if stream.odd_text or left.exit_code == 0:
        return Ending(CallOutcome.MALFORMED, f"ended without a result ({exit_words(left)}){quoted}")
    return Ending(CallOutcome.CONFIG, brief(said) or f"refused to start ({exit_words(left)})")


def by_status(status: int | None, words: str) -> CallOutcome | None:
    """The outcome that a status code of the API stands for. Returns None if there is no code."""
    match status:
        case None:
            return None
        case 401 | 403:
            return CallOutcome.AUTH
        case 413:
            return CallOutcome.CONTEXT
        case 408 | 409 | 429:
            return CallOutcome.RETRYABLE
        case _ if status >= 500:
            return CallOutcome.RETRYABLE
    # 400 covers a used-up account and a prompt that is too long as well as a wrong request
    outcome = by_wording(words)
    return outcome if outcome in (CallOutcome.AUTH, CallOutcome.CONTEXT) else CallOutcome.CONFIG


def by_wording(words: str) -> CallOutcome | None:
    """What a message means; None if it is not a known one."""
    lowered = words.lower()
    return next((outcome for outcome, wording in WORDINGS if re.search(wording, lowered)), None)


def retry_after_s(stream: Stream, words: str, now_s: float) -> float | None:
    """How long we were asked to wait; None if nobody asked."""
    wait = WAIT.search(words)
    if wait:
        return float(wait.group(1))
    reset = RESET.search(words)
    resets_at = float(reset.group(1)) if reset else stream.resets_at
    if resets_at is not None:
        return max(0.0, resets_at - now_s)
    status = valid_count((stream.result or {}).get("api_error_status"))
    return PATIENCE_S if status in ASKED_TO_WAIT and stream.retries == 0 else None


def exit_words(left: Leftovers) -> str:
    return f"ended by signal {left.signal}" if left.signal is not None else f"exit code {left.exit_code}"


def brief(words: str) -> str:
    return one_line(words.strip(), REASON_CHARACTERS)


def last_words(words: str) -> str:
    """The end of what an agent printed, to be appended to a reason."""
    end = brief(words[-REASON_CHARACTERS:])
    return f"; its last words: {end}" if end else "; it printed nothing"
