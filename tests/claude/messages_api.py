"""A Messages API on loopback that plays a script: text, tool calls, and every way of failing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

MESSAGES = "/v1/messages"
LONGEST_S = 120.0
Break = Literal["cut", "stall", "garbage", "silence"]
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Asked:
    """One request for a message."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def is_streaming(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def model(self) -> str:
        return str(self.body.get("model"))

    @property
    def tools(self) -> list[str]:
        """The names of the tools the model may use."""
        return [str(tool.get("name")) for tool in self.body.get("tools") or ()]

    @property
    def heard(self) -> list[str]:
        """What the user's side has said, message by message, the results of tools included."""
        messages = self.body.get("messages", ())
        return [words_of(message.get("content")) for message in messages if message.get("role") == "user"]


def words_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(words_of(part) for part in content)
    if isinstance(content, dict):
        return words_of(content.get("text") or content.get("content") or "")
    return ""


@dataclass(frozen=True)
class Tokens:
    """What a reply is said to have used."""

    input: int = 1000
    output: int = 100
    cache_read: int = 0
    cache_write: int = 0

    def record(self) -> dict[str, int]:
        return {
            "input_tokens": self.input,
            "output_tokens": self.output,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation_input_tokens": self.cache_write,
        }


@dataclass(frozen=True)
class Says:
    """A reply of the model: words, then calls of tools (name and input)."""

    text: str = ""
    tools: tuple[tuple[str, Mapping[str, object]], ...] = ()
    tokens: Tokens = Tokens()

    @property
    def stop_reason(self) -> str:
        return "tool_use" if self.tools else "end_turn"

    def blocks(self, number: int) -> list[dict[str, Any]]:
        spoken = [{"type": "text", "text": self.text}] if self.text else []
        used = [
            {"type": "tool_use", "id": f"toolu_{number:04d}_{place}", "name": name, "input": dict(given)}
            for place, (name, given) in enumerate(self.tools)
        ]
        return [*spoken, *used]


@dataclass(frozen=True)
class Fails:
    """An answer with an HTTP status that is not 200."""

    status: int
    message: str = "it does not work"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Breaks:
    """An answer that does not come to its end: cut off, stalled, unreadable, or never begun."""

    how: Break
    text: str = "this is only the beginn"


@dataclass(frozen=True)
class Page:
    """What a proxy answers in place of the API: plain text or HTML."""

    status: int
    text: str


Reply = Says | Fails | Breaks | Page
Script = Reply | Callable[[Asked], Reply]


def use(name: str, /, **given: object) -> Says:
    """A reply that calls one tool."""
    return Says(tools=((name, given),))


class MessagesApi:
    """The server. Each request is answered by the next line of the script; the last one is repeated."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.unknown: list[str] = []
        self.lines: list[Script] = [Says("done")]
        self.turn = threading.Lock()
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def plays(self, *lines: Script) -> None:
        """What is answered from now on."""
        self.asked.clear()
        self.lines = list(lines)

    def next_reply(self, asked: Asked) -> tuple[int, Reply]:
        with self.turn:
            line = self.lines[min(len(self.asked), len(self.lines) - 1)]
            self.asked.append(asked)
            number = len(self.asked)
        return number, line(asked) if callable(line) else line

    def __enter__(self) -> MessagesApi:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def handler_for(api: MessagesApi) -> type[BaseHTTPRequestHandler]:
    class Handler(Answering):
        the_api = api

    return Handler


class Answering(BaseHTTPRequestHandler):
    """One connection."""

    the_api: MessagesApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.partition("?")[0] != MESSAGES:
            self.refuse()
            return
        number, reply = self.the_api.next_reply(Asked(dict(self.headers.items()), json.loads(body)))
        try:
            self.answer(number, reply, json.loads(body))
        except OSError:
            self.close_connection = True

    def refuse(self) -> None:
        """Whatever else is called is not there, and remembered."""
        self.the_api.unknown.append(f"{self.command} {self.path}")
        self.whole(404, {"type": "error", "error": {"type": "not_found_error", "message": "not here"}})

    do_GET = do_HEAD = do_PUT = do_DELETE = do_PATCH = refuse  # noqa: N815

    def answer(self, number: int, reply: Reply, body: Mapping[str, Any]) -> None:
        match reply:
            case Fails():
                error = {
                    "type": "error",
                    "error": {"type": KINDS.get(reply.status, "api_error"), "message": reply.message},
                }
                self.whole(reply.status, error, reply.headers)
            case Page():
                self.written(reply.status, reply.text.encode(), {"content-type": "text/html"})
            case Breaks():
                self.break_off(number, reply, body)
            case Says() if body.get("stream"):
                self.begin()
                for name, data in events(number, reply, str(body.get("model"))):
                    self.send_event(name, data)
                self.wfile.write(b"0\r\n\r\n")
            case Says():
                self.whole(200, message(number, reply, str(body.get("model"))))

    def whole(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
        self.written(status, json.dumps(content).encode(), {**(headers or {}), "content-type": "application/json"})

    def written(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else text)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def send_event(self, name: str, data: object) -> None:
        self.send_chunk(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())

    def send_chunk(self, text: bytes) -> None:
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()

    def break_off(self, number: int, reply: Breaks, body: Mapping[str, Any]) -> None:
        """Without a stream to break, the connection is closed unanswered."""
        self.close_connection = True
        if reply.how == "silence":
            self.the_api.closing.wait(LONGEST_S)
        if reply.how == "silence" or not body.get("stream"):
            return
        self.begin()
        if reply.how == "garbage":
            self.send_chunk(b"event: message_start\ndata: {not json\n\n%%%\n\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        # all but the end of the text, the end of the block and the end of the message
        for name, data in list(events(number, Says(reply.text), str(body.get("model"))))[:-3]:
            self.send_event(name, data)
        if reply.how == "stall":
            self.the_api.closing.wait(LONGEST_S)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def message(number: int, reply: Says, model: str) -> dict[str, Any]:
    """A reply as one message."""
    return {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": reply.blocks(number),
        "stop_reason": reply.stop_reason,
        "stop_sequence": None,
        "usage": reply.tokens.record(),
    }


def events(number: int, reply: Says, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A reply as the events of a stream."""
    start = {**message(number, reply, model), "content": [], "stop_reason": None}
    start["usage"] = {**reply.tokens.record(), "output_tokens": 1}
    yield "message_start", {"type": "message_start", "message": start}
    for index, block in enumerate(reply.blocks(number)):
        is_text = block["type"] == "text"
        empty = {**block, "text": ""} if is_text else {**block, "input": {}}
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas(block):
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": reply.stop_reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ending, "usage": {"output_tokens": reply.tokens.output}}
    yield "message_stop", {"type": "message_stop"}


def deltas(block: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The content of a block in two halves, as a stream brings it."""
    if block["type"] == "text":
        kind, name, content = "text_delta", "text", str(block["text"])
    else:
        kind, name, content = "input_json_delta", "partial_json", json.dumps(block["input"])
    middle = len(content) // 2
    for part in (content[:middle], content[middle:]):
        yield {"type": kind, name: part}
