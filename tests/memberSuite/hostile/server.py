"""A hostile MemberSuite: real sockets, genuine replies, and one way of being wrong from some call on."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from memberSuite.standin.web import Request
from tests.memberSuite.hostile.genuine import Genuine, operation_of
from tests.memberSuite.hostile.script import Script


class HostileServer(socketserver.ThreadingTCPServer):
    """Plays scripts, each at an address of its own; use it as a context manager."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, genuine: Genuine) -> None:
        self.genuine = genuine
        self.scripts: dict[str, Script] = {}
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), _Connection)

    def address_of(self, script: Script) -> str:
        self.scripts[script.seed] = script
        return f"http://127.0.0.1:{self.server_address[1]}/{script.seed}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="hostile", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is lied to may hang up."""


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    timeout = 20
    server: HostileServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self._one() and not self.server.over.is_set():
                pass

    def _one(self) -> bool:
        line = self.rfile.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = {}
        while (header := self.rfile.readline(1 << 24).decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        name, _, path = line[1].lstrip("/").partition("/")
        path, _, query = path.partition("?")
        asked = dict(parse_qsl(query, keep_blank_values=True))
        request = Request(line[0], "/" + unquote(path), asked, headers, body)
        reply = self.server.genuine.answer(request)
        return self.server.scripts[name].answer(self.connection, operation_of(request), reply, self.server.over)
