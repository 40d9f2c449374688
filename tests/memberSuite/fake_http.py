"""A server that answers what a test tells it to, on a port of its own."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

XML = "text/xml; charset=utf-8"


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Say:
    """One answer; `declared` lies about its length, `before` seconds pass before it, `drip` between its bytes."""

    body: bytes = b""
    status: int = 200
    kind: str = XML
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    before: float = 0.0
    drip: float = 0.0
    is_cut: bool = False


Answerer = Callable[[Seen], Say]


class FakeHttp:
    """Answers with `answers` one after another, the last one again and again; or asks `answerer`."""

    def __init__(self, *answers: Say, answerer: Answerer | None = None) -> None:
        self.answers = list(answers)
        self.answerer = answerer
        self.seen: list[Seen] = []
        self.over = threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                seen = Seen(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                fake.seen.append(seen)
                fake.reply(self, seen)

            do_GET = do_PUT = do_POST  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients leave; that is the test
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def reply(self, handler: http.server.BaseHTTPRequestHandler, seen: Seen) -> None:
        if self.answerer is not None:
            say = self.answerer(seen)
        else:
            say = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.over.wait(say.before)
        if say.is_cut:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(say.status)
        handler.send_header("Content-Type", say.kind)
        handler.send_header("Content-Length", str(len(say.body) if say.declared is None else say.declared))
        for name, value in say.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if say.drip:
            for place in range(len(say.body)):
                handler.wfile.write(say.body[place : place + 1])
                time.sleep(say.drip)
        else:
            handler.wfile.write(say.body)
        if say.declared is not None:
            handler.close_connection = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
