"""A server on this machine that imitates the registries, with the answers of tests/data/citations and their quirks."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWERS = Path(__file__).parents[1] / "data" / "citations" / "answers.json"
SOURCES = ("doi.org", "crossref", "datacite", "arxiv", "openalex", "semantic_scholar")


@dataclass(frozen=True)
class Play:
    """One reply. `cut` ends it early, `hang_s` delays it, `drip_s` is the time between two bytes."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_s: float = 0
    drip_s: float = 0
    cut: bool = False


@dataclass
class RegistryServer:
    """Serves every registry below /NAME. `plays` go first: for a registry, or for one of its paths."""

    plays: dict[str, list[Play]] = field(default_factory=dict)
    always: dict[str, Play] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> RegistryServer:
        self.answers = json.loads(ANSWERS.read_text(encoding="utf-8"))["answers"]
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.reply(self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.ended = threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def servers(self) -> dict[str, str]:
        """What `citations.servers` is set to."""
        return {source: f"{self.base}/{source}" for source in SOURCES}

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        source, _, path = handler.path.removeprefix("/").partition("/")
        name = f"{source} /{path}"
        self.asked.append(name)
        self.headers.append(dict(handler.headers.items()))
        self.at_once[source] += 1
        self.most_at_once[source] = max(self.most_at_once[source], self.at_once[source])
        try:
            self.send(handler, self.play_for(source, name))
        except OSError:
            pass  # whoever asked has gone
        finally:
            self.at_once[source] -= 1

    def play_for(self, source: str, name: str) -> Play:
        for key in (name, source):
            if self.plays.get(key):
                return self.plays[key].pop(0)
            if key in self.always:
                return self.always[key]
        row = self.answers.get(name)
        if row is None:
            return Play(404, "Resource not found." if source == "crossref" else '{"errors": [{"status": "404"}]}')
        body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
        return Play(row.get("status", 200), body)

    def send(self, handler: BaseHTTPRequestHandler, play: Play) -> None:
        if play.hang_s and self.ended.wait(play.hang_s):
            return
        content = play.body.encode()
        handler.send_response(play.status)
        handler.send_header("Content-Length", str(len(content)))
        for header, value in play.headers.items():
            handler.send_header(header, value)
        handler.end_headers()
        if play.drip_s:
            for position in range(len(content)):
                handler.wfile.write(content[position : position + 1])
                handler.wfile.flush()
                if self.ended.wait(play.drip_s):
                    return
        handler.wfile.write(content[: len(content) // 2] if play.cut else content)
        if play.cut:
            handler.wfile.flush()
            handler.connection.close()
