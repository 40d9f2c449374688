"""A mail server that says what it is told to, word for word: for what no well-behaved server says."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from typing import Any, Self

CUT = "cut"  # in the place of a reply: lose the connection
Say = Callable[[str, str], str | None]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class Scripted:
    """`say(command, recipient)` gives the reply to a command ("." for a whole text), or None for the usual one.

    `transcripts` is what came, in order, on each connection.
    """

    def __init__(self, say: Say, *, offers: tuple[str, ...] = ("PIPELINING",), greeting: str = "220 ready") -> None:
        self.say, self.offers, self.greeting = say, offers, greeting
        self.transcripts: list[list[str]] = []
        self.taken: list[str] = []
        self.texts: list[bytes] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, peer: Any) -> None:
        transcript: list[str] = []
        self.transcripts.append(transcript)
        read = peer.makefile("rb")
        try:
            self._talk(peer, read, transcript)
        except OSError:
            pass
        finally:
            read.close()

    def _talk(self, peer: Any, read: Any, transcript: list[str]) -> None:
        def tell(reply: str) -> None:
            peer.sendall(f"{reply}\r\n".encode())

        tell(self.greeting)
        recipient, is_admitted = "", False
        while line := read.readline():
            command = line.decode().strip()
            transcript.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "RCPT":
                recipient = command.partition("<")[2].partition(">")[0]
            usual = "503 5.5.1 no recipient" if verb == "DATA" and not is_admitted else self._usual(verb)
            reply = self.say(verb, recipient) or usual
            is_admitted = verb == "RCPT" and reply.startswith("250")
            if reply == CUT:
                return
            tell(reply)
            if verb == "QUIT" or reply.startswith("421"):
                return
            if verb == "DATA" and reply.startswith("354"):
                text = bytearray()
                while (line := read.readline()) not in (b".\r\n", b""):
                    text += line
                if not line:
                    return
                transcript.append(".")
                reply = self.say(".", recipient) or "250 taken"
                if reply == CUT:
                    return
                if reply.startswith("250"):
                    self.taken.append(recipient)
                    self.texts.append(bytes(text))
                tell(reply)
                if reply.startswith("421"):
                    return

    def _usual(self, verb: str) -> str:
        if verb == "EHLO":
            lines = ["lamps.example", *self.offers]
            return "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")
