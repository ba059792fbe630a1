"""The guard around every request: hosts, origins, sizes, and the headers that tell browsers what a page may do.

It knows nothing of people and patterns: who may do what is decided in `services`.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_pipeline.web.problems import MEDIA_TYPE, Refused, problem_of

MAX_BODY_BYTES: Final = 256 * 1024
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware.

    Args:
        app: What is guarded.
        only_this_computer: No tokens are configured: nobody else may get in, neither directly nor through a page that
            makes a browser of this computer ask (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, only_this_computer: bool) -> None:
        self._app = app
        self._only_this_computer = only_this_computer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(refusal, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # Pages hold what only the reviewer may see; the files beside them are checked for a newer version.
                kept = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if kept else "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Refused | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._only_this_computer and not (is_loopback(_name_of(host)) and is_loopback(_client_of(scope))):
            return Refused(
                403,
                "host_not_allowed",
                "Without tokens the review answers this computer only, at 127.0.0.1 or localhost. Configure"
                " PATTERN_PIPELINE_REVIEWERS to let others in.",
            )
        if scope["method"] in _SAFE_METHODS:
            return None
        if _comes_from_elsewhere(headers, host):
            return Refused(403, "cross_origin", "The request comes from a page of another site.")
        if "transfer-encoding" in headers:
            return Refused(411, "length_required", "The body needs a Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return Refused(413, "too_large", f"A body of more than {MAX_BODY_BYTES // 1024} KiB is not accepted.")
        return None


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _comes_from_elsewhere(headers: Headers, host: str) -> bool:
    """Browsers name the page that a request comes from; programs do not."""
    origin = headers.get("origin")
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin") or (
        origin is not None and urlsplit(origin).netloc != host
    )


def _name_of(host: str) -> str:
    """The Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _client_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _answer(refusal: Refused, send: Send) -> None:
    body = problem_of(refusal)[0].model_dump_json().encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in _HEADERS.items()),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
