"""How fast 200 MB of transcript are read, redacted, stored and understood, against only parsing its lines."""

from __future__ import annotations

import json
import os
import random
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flagstone.agents.claude.events import Stream
from flagstone.processes import Command, Output, ProcessLimits, run
from measured.rounds import promise, seconds, show, take_turns

SIZE_MB = 200
LEAST_MB_S = 50
MOST_GROWTH_MB = 20
ROUNDS = 3
WORDS = ("the", "learning", "rate", "warms", "up", "before", "it", "decays", "with", "cosine", "over", "4000", "steps")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        transcript = root / "transcript.jsonl"
        write_transcript(transcript)
        size_mb = transcript.stat().st_size / 1e6
        read_transcript(transcript, root, head=True)  # whatever is loaded at first use is loaded now
        before = peak_mb()
        growth: list[float] = []
        found = take_turns(
            {
                "a pipe, parsed line by line": lambda: seconds(lambda: parse_lines(transcript)),
                "transcript": lambda: transcript_s(transcript, root, growth, before),
            },
            ROUNDS,
        )
    show(found, "a pipe, parsed line by line")
    for name, taken in found.items():
        print(f"{name}: {size_mb / min(taken):.0f} MB/s")
    speed = size_mb / min(found["transcript"])  # whatever else runs here can only slow a round
    promise("seconds for 50 MB of transcript, fastest round", LEAST_MB_S / speed, 1, " s")
    promise(f"growth of memory over {size_mb:.0f} MB", max(growth), MOST_GROWTH_MB, " MB")


def transcript_s(transcript: Path, root: Path, growth: list[float], before: float) -> float:
    taken = seconds(lambda: read_transcript(transcript, root))
    growth.append(peak_mb() - before)
    return taken


def read_transcript(transcript: Path, root: Path, *, head: bool = False) -> None:
    """The whole way of a driver: pipe, lines, redaction, file, events."""
    stream = Stream()

    def on_line(line: bytes) -> bool:
        stream.read(line)
        return stream.result is not None

    argv = ("head", "-c", "1000000", str(transcript)) if head else ("cat", str(transcript))
    limits = ProcessLimits(wall_s=600, output_mb=SIZE_MB, line_kb=8000)
    output = Output(root / "kept.jsonl", root / "stderr.txt")
    result = run(Command(argv, None, root, {"PATH": os.environ["PATH"]}), limits, output, on_line)
    if result.exit_code != 0 or stream.events == 0:
        raise SystemExit((root / "stderr.txt").read_text())


def parse_lines(transcript: Path) -> None:
    """The floor: what reading a pipe and parsing its lines takes, and nothing else."""
    with os.popen(f"cat '{transcript}'") as pipe:
        for line in pipe:
            json.loads(line)


def write_transcript(path: Path) -> None:
    drawn, left = random.Random(7), SIZE_MB * 1_000_000
    with open(path, "wb") as stream:
        for number, event in enumerate(events(drawn)):
            line = json.dumps({**event, "session_id": "s", "uuid": f"{number:032x}"}).encode() + b"\n"
            left -= stream.write(line)
            if left <= 0:
                return


def events(drawn: random.Random) -> Iterator[dict[str, object]]:
    """A call as it looks when an agent works: words, tools, and what they gave back, from a line to a whole file."""
    number = 0
    while True:
        number += 1
        yield reply(number, {"type": "text", "text": said(drawn, 60)})
        given = {"command": said(drawn, 12), "description": said(drawn, 6)}
        yield reply(number, {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": given})
        content = said(drawn, drawn.choice([20, 300, 2000, 5000]))
        back = {"type": "tool_result", "tool_use_id": f"t{number}", "content": content}
        yield {"type": "user", "message": {"role": "user", "content": [back]}, "tool_use_result": content}


def reply(number: int, block: dict[str, object]) -> dict[str, object]:
    usage = {
        "input_tokens": 3,
        "output_tokens": 9,
        "cache_read_input_tokens": 40_000,
        "cache_creation_input_tokens": 90,
    }
    return {"type": "assistant", "message": {"id": f"m{number}", "model": "m", "content": [block], "usage": usage}}


def said(drawn: random.Random, words: int) -> str:
    return " ".join(drawn.choices(WORDS, k=words)).replace(" decays", "\n\tdecays")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
