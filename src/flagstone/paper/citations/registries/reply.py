"""One HTTP GET within bounds: of time, of size, and of where it may be sent on to."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flagstone.paper.citations.registries.answers import NoAnswer

MOST_BYTES = 4_000_000  # of one answer; long lists of references come to some 100 kB
REDIRECTIONS = 3


class Gone(Exception):
    """Nobody replied."""


@dataclass(frozen=True)
class HttpReply:
    """What came back. `is_cut` means that it ended early."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    is_cut: bool


class OnSameHost(urllib.request.HTTPRedirectHandler):
    """Follows a registry to another address of its own, and to nobody else."""

    max_redirections = max_repeats = REDIRECTIONS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not is_same_server(req.full_url, newurl):
            raise NoAnswer(f"{urlsplit(req.full_url).hostname} sends us on to another server, which is not asked")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_same_server(one: str, other: str) -> bool:
    """Whether an address is at the same server; HTTPS instead of HTTP is."""
    left, right = urlsplit(one), urlsplit(other)
    is_upgrade = (left.scheme, right.scheme) == ("http", "https") and right.port is None
    is_equal = left.scheme == right.scheme and left.port == right.port
    return left.hostname == right.hostname and (is_equal or is_upgrade)


def get(url: str, headers: Mapping[str, str], timeout_s: float) -> HttpReply:
    """Asks one address. A status that means failure is a reply. Raises Gone if nobody replies in time."""
    ends_s = time.monotonic() + timeout_s
    try:
        # nothing that reads files or other protocols
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            OnSameHost(),
        ):
            opener.add_handler(handler)
        request = urllib.request.Request(url, headers=dict(headers))
        try:
            response = opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body, is_cut = body_of(response, ends_s)
            named = {name.lower(): value for name, value in response.headers.items()}
            return HttpReply(response.status, named, body, is_cut)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Gone(f"no reply ({type(error).__name__})") from None


def body_of(response: Any, ends_s: float) -> tuple[bytes, bool]:
    """What a response holds, as far as it comes in time, and whether that is less than all."""
    parts, size = [], 0
    try:
        while chunk := response.read1(65_536):
            parts.append(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                raise NoAnswer(f"the answer is larger than {MOST_BYTES // 1_000_000} MB")
            if time.monotonic() > ends_s:
                return b"".join(parts), True
    except (http.client.HTTPException, OSError):
        return b"".join(parts), True
    expected = response.headers.get("content-length", "")
    return b"".join(parts), expected.isdecimal() and size < int(expected)
