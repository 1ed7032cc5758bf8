"""Which tools Claude Code has in a call: the grant of the call, and what a profile of the agent adds or takes away."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flagstone.agents.protocol import AgentCall, Mode, names

STANDARD = {Mode.EDIT: ("Read", "Edit", "Write"), Mode.WORK: ("Read", "Edit", "Write", "Glob", "Grep", "Bash")}
GRANTED = ("Edit", "Write", "MultiEdit")  # which files these may change, the call says
ASK_NOBODY = ("--permission-prompts", "none")
# flags that every call sets itself, or that would take its limits away
OURS = re.compile(
    r"-[pcr]|--(print|continue|resume|session-id|fork-session|(in|out)put-format|verbose|model|fallback-model|effort"
    r"|max-turns|max-budget-usd|json-schema|tools|(dis)?allowed-?[tT]ools|permission-(mode|prompts|prompt-tool)"
    r"|(allow-)?dangerously-skip-permissions|setting-sources|settings|strict-mcp-config|disable-slash-commands"
    r"|include-partial-messages|no-session-persistence|bare|background|bg)"
)


def taken_flags(options: Mapping[str, object]) -> list[str]:
    """Those of the further flags that are not the user's to set."""
    words = (word.partition("=")[0] for word in names(options.get("extra_flags")))
    return [word for word in words if OURS.fullmatch(word)]


def tool_flags(call: AgentCall) -> tuple[str, ...]:
    """The part of the command line that says which tools there are, and how each may be used.

    A tool that is allowed by a rule, such as `Bash(pytest *)`, is allowed by its rules alone.
    """
    options = call.options
    asked = [rule for rule in split_rules(names(options.get("allowed_tools"))) if tool_of(rule) not in GRANTED]
    ruled = {tool_of(rule) for rule in asked} - set(asked)
    further = names(options.get("tools"))
    tools = dict.fromkeys((*STANDARD[call.mode], *further, *map(tool_of, asked)))
    free = (tool for tool in (*STANDARD[call.mode], *further) if tool not in GRANTED and tool not in ruled)
    allowed = dict.fromkeys((*edit_rules(call.writable), *free, *asked))
    denied = split_rules(names(options.get("disallowed_tools")))
    mode = str(options.get("permission_mode") or "dontAsk")
    flags = ("--tools", ",".join(tools), "--permission-mode", mode, *ASK_NOBODY, "--allowedTools", *allowed)
    return (*flags, *(("--disallowedTools", *denied) if denied else ()))


def split_rules(words: Iterable[str]) -> list[str]:
    """Each rule on its own: `Bash(rm:*,mv:*)` is two."""
    found = []
    for word in words:
        tool, bracket, inside = word.strip().partition("(")
        parts = inside.removesuffix(")").split(",") if bracket else []
        found += [f"{tool}({part.strip()})" for part in parts if part.strip()] or [tool]
    return list(dict.fromkeys(found))


def tool_of(rule: str) -> str:
    return rule.partition("(")[0]


def edit_rules(writable: tuple[Path, ...]) -> Iterator[str]:
    """What may be written, as permission rules: one for Edit governs Write as well."""
    for path in writable:
        # if the run is behind a link, the agent may name a file by either path, and a rule must match it as named
        for spelling in dict.fromkeys((os.path.realpath(path), os.path.abspath(path))):
            # two slashes: the path is absolute; a bare name would match in every folder
            yield f"Edit(/{spelling}/**)" if os.path.isdir(spelling) else f"Edit(/{spelling})"
