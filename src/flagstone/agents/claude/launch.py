"""How Claude Code is started: arguments, environment and prompt, as measured on version 2.1.329."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from flagstone.agents.claude.login import LOGIN_VARIABLES
from flagstone.agents.claude.tools import taken_flags, tool_flags
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, Limits, Mode, amount, names, own_git_only

COMMON = (
    *("-p", "--output-format", "stream-json", "--verbose"),
    # without the empty list the hooks of a project's own settings run, and nobody is asked
    *("--setting-sources", "", "--strict-mcp-config", "--disable-slash-commands"),
)
FIXED = {
    # a background command keeps the CLI alive after its result
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    # a stall in the middle of an answer is otherwise noticed after 300 s
    "CLAUDE_ENABLE_BYTE_WATCHDOG": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
# how long a command of the agent may run, of the time of the call: if the agent asks for it, and if it does not
COMMAND_LIMITS = {"BASH_MAX_TIMEOUT_MS": 0.9, "BASH_DEFAULT_TIMEOUT_MS": 0.25}
PATIENCE = {"retries": 3.0, "api_timeout_s": 120.0, "stall_s": 60.0}
PASSED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
    *("ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS", *LOGIN_VARIABLES),
)
PASSED_PREFIXES = ("LC_", "ANTHROPIC_DEFAULT_")
CLOUD_PREFIXES = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_", "ANTHROPIC_BEDROCK_"),
    "CLAUDE_CODE_USE_VERTEX": ("GOOGLE_", "CLOUD_ML_", "ANTHROPIC_VERTEX_", "VERTEX_"),
    "CLAUDE_CODE_USE_FOUNDRY": ("AZURE_", "ANTHROPIC_FOUNDRY_"),
}
# what programs that an agent starts need in order to find their libraries and devices
WORK_PREFIXES = (
    "CUDA_",
    "NVIDIA_",
    "OMP_",
    "CONDA_",
    "LD_LIBRARY_",
    "VIRTUAL_ENV",
    "HF_HOME",
    "PYTHONPATH",
    "SLURM_",
)
SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")
NOT_IN_RULES = re.compile(r"[()\[\]{}*?!,\\\x00-\x1f]")
MENTION = re.compile(r"(?<!\S)@(?=\"?([^\s\"]+))")


def faults_of(call: AgentCall) -> list[str]:
    """Everything that makes a call impossible before it is started."""
    faults = []
    if not call.prompt.strip():
        faults.append("the prompt is empty")
    if not SESSION_ID.match(call.conversation.session_id):
        faults.append(f"{call.conversation.session_id!r} cannot be the name of a conversation")
    if call.limits.turns < 1:
        faults.append("a call needs at least one turn (0 would mean: without limit)")
    faults += [f"{flag} cannot be an extra flag: every call sets it itself" for flag in taken_flags(call.options)]
    faults += [
        f"{path} holds characters that Claude Code's permission rules cannot express: rename it"
        for path in call.writable
        if call.mode is not Mode.JUDGE and NOT_IN_RULES.search(str(path))
    ]
    return faults


def arguments(call: AgentCall, executable: str) -> tuple[str, ...]:
    """The command line. The prompt is not on it: flags that take lists would swallow it."""
    conversation = call.conversation
    argv = [executable, *COMMON]
    argv += ["--resume" if conversation.resume else "--session-id", conversation.session_id]
    # given again on resume, which otherwise keeps the last one used
    argv += ["--model", call.model] if call.model else []
    fallback = call.options.get("fallback_model")
    argv += ["--fallback-model", str(fallback)] if fallback else []
    argv += ["--max-turns", str(call.limits.turns)]
    if call.limits.cost_usd is not None:
        argv += ["--max-budget-usd", f"{call.limits.cost_usd:.6f}"]
    # without them, nobody knows what a reply wrote before the whole call has ended
    argv += ["--include-partial-messages"] if call.limits.tokens is not None else []
    if call.reply_schema is not None:
        argv += ["--json-schema", json.dumps(call.reply_schema)]
    if call.mode is Mode.JUDGE:
        return (*argv, "--tools", "", "--no-session-persistence")
    return (*argv, *profile_flags(call.options), *tool_flags(call))


def profile_flags(options: Mapping[str, object]) -> Iterator[str]:
    """What a profile of the agent sets besides its tools."""
    if options.get("effort"):
        yield from ("--effort", str(options["effort"]))
    if options.get("settings"):
        yield from ("--settings", json.dumps(options["settings"]))
    yield from names(options.get("extra_flags"))


def environment(call: AgentCall, folder: SessionFolder, environ: Mapping[str, str]) -> dict[str, str]:
    """A clean environment: what the CLI needs, what the settings name, and nothing else of ours."""
    wanted = {*PASSED, *names(call.options.get("environment"))}
    prefixes = list(PASSED_PREFIXES)
    for cloud, own in CLOUD_PREFIXES.items():
        prefixes += own if environ.get(cloud) else ()
    if call.mode is Mode.WORK:
        prefixes += WORK_PREFIXES
    passed = {name: value for name, value in environ.items() if name in wanted or name.startswith(tuple(prefixes))}
    folders = {"CLAUDE_CONFIG_DIR": str(folder.config), "TMPDIR": str(folder.temporary), **own_git_only(call)}
    return {
        **passed,
        **call.environment,
        **FIXED,
        **patience(call.options),
        **command_limits(call.limits, environ),
        **folders,
    }


def command_limits(limits: Limits, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say how long a command of the agent may run. A person's own are kept if they are larger."""
    own = {name: int(environ[name]) for name in COMMAND_LIMITS if environ.get(name, "").isdecimal()}
    return {name: str(max(int(limits.wall_s * 1000 * part), own.get(name, 0))) for name, part in COMMAND_LIMITS.items()}


def patience(options: Mapping[str, object]) -> dict[str, str]:
    """How often a failed request is made again, and how long the API may be silent before and during an answer."""
    chosen = {name: amount(options.get(name)) for name in PATIENCE}
    retries, answer_s, stall_s = (PATIENCE[name] if value is None else max(value, 0) for name, value in chosen.items())
    return {
        "CLAUDE_CODE_MAX_RETRIES": f"{retries:.0f}",
        "API_TIMEOUT_MS": f"{answer_s * 1000:.0f}",
        "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": f"{stall_s * 1000:.0f}",
    }


def prompt_bytes(prompt: str, folder: Path) -> bytes:
    """The prompt as plain words: the CLI would read and send a file named by `@path`."""

    def mark_file(mention: re.Match[str]) -> str:
        named = mention.group(1).rstrip(".,;:!?)'`").partition("#")[0]
        return "@ " if os.path.exists(folder / os.path.expanduser(named)) else "@"

    # the CLI takes a leading slash for a command of its own, such as /clear, even with --disable-slash-commands
    plain = f"\n{prompt}" if prompt.startswith("/") else prompt
    return MENTION.sub(mark_file, plain).encode("utf-8", "replace")
