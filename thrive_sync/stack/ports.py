"""Free ports of this machine's own address."""

from __future__ import annotations

import socket

ADDRESS = "127.0.0.1"
TRIES = 100


def next_free(wanted: int, *, taken: frozenset[int] = frozenset()) -> int:
    """Return the wanted port, or the first free one after it."""
    for port in range(wanted, min(wanted + TRIES, 65536)):
        if port not in taken and _is_free(port):
            return port
    raise OSError(f"The ports from {wanted} to {port} are all taken; name another with --port.")


def _is_free(port: int) -> bool:
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server does
        try:
            asked.bind((ADDRESS, port))
        except OSError:
            return False
    return True
