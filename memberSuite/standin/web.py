"""A small HTTP/1.1 server: one thread a connection, keep-alive, no Nagle delay, answers that can be cut short."""

import contextlib
import gzip
import socket
import socketserver
import sys
import traceback
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

LINE_LIMIT = 65536
GZIP_FROM = 1024


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    # Sent in chunks as it is made, for what is too long to hold.
    stream: Iterable[bytes] | None = None
    # Close the connection after this many bytes of the body; before anything when negative.
    cut_after: int | None = None
    close: bool = False


Handler = Callable[[Request], Response]


class BadRequest(Exception):
    pass


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    wbufsize = 0
    rbufsize = 65536
    timeout = 600
    server: "WebServer"

    def handle(self) -> None:
        try:
            while self.one_request():
                pass
        except (ConnectionError, TimeoutError, OSError):
            return

    def finish(self) -> None:
        # The other side may be gone already.
        try:
            super().finish()
        except OSError:
            return

    def one_request(self) -> bool:
        line = self.rfile.readline(LINE_LIMIT)
        if not line.strip():
            return bool(line)
        try:
            request = self.read(line)
        except (BadRequest, ValueError, zlib.error, EOFError) as error:
            self.send(Response(400, str(error).encode(), close=True), "identity", True)
            return False
        response = self.answer(request)
        keep = request.header("connection").lower() != "close" and not response.close and response.cut_after is None
        self.send(response, request.header("accept-encoding"), request.method != "HEAD", keep=keep)
        return keep

    def answer(self, request: Request) -> Response:
        try:
            return self.server.handler(request)
        except Exception:  # a bug of the stand-in: say so, and don't let the client wait
            traceback.print_exc()
            return Response(500, b"The stand-in itself failed; its output says where.")

    def read(self, line: bytes) -> Request:
        parts = line.decode("latin-1").split()
        # The greeting of TLS is three words by chance, now and then; waiting for its headers would hang the client.
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest("bad request line")
        headers: dict[str, str] = {}
        while (header := self.rfile.readline(LINE_LIMIT).decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        url = urlsplit(parts[1])
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(parts[0].upper(), unquote(url.path) or "/", query, headers, self.read_body(headers))

    def read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline(LINE_LIMIT).split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline(LINE_LIMIT)
            self.rfile.readline(LINE_LIMIT)
            body = b"".join(chunks)
        else:
            body = self.rfile.read(int(headers.get("content-length", "0")))
        return gzip.decompress(body) if headers.get("content-encoding", "").lower() == "gzip" else body

    def send(self, response: Response, accepts: str, with_body: bool, *, keep: bool = False) -> None:
        body = response.body
        headers = {"Content-Type": response.content_type, **response.headers}
        if response.stream is None:
            if "gzip" in accepts.lower() and len(body) >= GZIP_FROM:
                body = gzip.compress(body, 1, mtime=0)
                headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
        else:
            headers["Transfer-Encoding"] = "chunked"
        headers["Connection"] = "keep-alive" if keep else "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n{head}\r\n".encode("latin-1")
        if response.cut_after is not None:
            # Compressed, a body may be shorter than the place where it should be cut: it is never sent whole.
            kept = min(max(0, response.cut_after), len(body) // 2)
            self.cut(start + body[:kept] if response.cut_after >= 0 else b"")
        elif response.stream is not None:
            self.wfile.write(start)
            for chunk in filter(None, response.stream):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(start + body if with_body else start)

    def cut(self, part: bytes) -> None:
        """Send what there is, then drop the connection as a broken network does."""
        if part:
            self.wfile.write(part)
        self.connection.shutdown(socket.SHUT_RDWR)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class WebServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        self.handler = handler
        self.connections: set[socket.socket] = set()
        super().__init__(address, Connection)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that goes away in the middle of an answer is no news; anything else is a bug of the stand-in.

        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            traceback.print_exc()

    def stop(self) -> None:
        """Stop accepting and drop every open connection, so that no thread stays behind."""
        with contextlib.suppress(OSError):  # wakes who waits for connections, or else looks soon by itself
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
