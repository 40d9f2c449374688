"""What is said to something that does not speak HTTP."""

from __future__ import annotations

import socket

from memberSuite.standin.server import StandIn


def test_three_words_that_are_no_http_are_refused_at_once(standin: StandIn) -> None:
    """The greeting of TLS, sent to a plain port, holds two spaces by chance now and then."""
    with socket.create_connection((standin.host, standin.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x02 \x01\xfc \x03\x0a")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
