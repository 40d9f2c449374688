"""The demo's mail server: takes every message for any address, keeps it as a file and sends it nowhere."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from thrive_sync.stack import ports
from thrive_sync.stack.mailbox import Mailbox

LARGEST_MESSAGE = 1024 * 1024


class Sink:
    """Answers a message with 250 only after its file is there."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        for address in envelope.rcpt_tos:
            self.mailbox.keep(content, address)
        return "250 Kept"


async def serve(folder: Path, port: int) -> None:
    """Serve on this machine's own address until SIGTERM or SIGINT."""
    mailbox = Mailbox(folder)
    mailbox.open()
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)

    def connection() -> SMTP:
        limit = LARGEST_MESSAGE
        return SMTP(Sink(mailbox), hostname="localhost", data_size_limit=limit, enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(connection, ports.ADDRESS, port)
    await stopped.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m thrive_sync.stack.mail_sink", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the messages are kept")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.folder, chosen.port))


if __name__ == "__main__":
    main()
