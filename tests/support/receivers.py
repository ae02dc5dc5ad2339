"""Receivers of notifications on loopback: a webhook over HTTP, and a mail server over SMTP."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from typing import Any

HOST = "127.0.0.1"


class Webhook:
    """What was posted as JSON. `status` is what is answered; `hold`, cleared, keeps answers back.

    `asked` is set once something was posted.
    """

    def __init__(self, port: int) -> None:
        self.url = f"json://hook:Hush-hook-8@{HOST}:{port}/Tok-webhook-9"
        self.secrets = ("Hush-hook-8", "Tok-webhook-9")
        self.status = 200
        self.hold = threading.Event()
        self.hold.set()
        self.asked = threading.Event()
        self.posted: list[dict[str, Any]] = []

    @property
    def titles(self) -> list[str]:
        """The titles of all messages."""
        return [message["title"].removeprefix("signalwire-orders: ") for message in self.posted]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A server that takes what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.set()
            found.hold.wait()
            if found.status < 300:
                found.posted.append(json.loads(body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    found = Webhook(server.server_port)
    with _serving(server):
        yield found
        found.hold.set()


class MailServer:
    """What was sent, and the logins that were tried; `refuse` a command to see it fail."""

    def __init__(self, port: int) -> None:
        self.url = (
            f"mailto://orders:Hush-mail-7@{HOST}:{port}"
            "?from=orders@example.com&to=team@example.com&format=text"
        )
        self.secrets = ("Hush-mail-7",)
        self.refuse = ""
        self.logins: list[list[str]] = []
        self.mails: list[Mail] = []

    @property
    def texts(self) -> list[str]:
        """Subject and text of all mails."""
        return [f"{m['Subject']}\n{m.get_content()}" for m in self.mails]  # type: ignore[attr-defined]


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server that takes mail from those who log in, without TLS."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                command, _, rest = line.partition(" ")
                command = command.upper()
                if command == found.refuse:
                    self.say("554 refused")
                elif command == "EHLO":
                    self.say("250-localhost")
                    self.say("250 AUTH PLAIN")
                elif command == "AUTH":
                    found.logins.append(base64.b64decode(rest.split()[1]).decode().split("\0"))
                    self.say("235 welcome")
                elif command == "DATA":
                    self.say("354 go on")
                    found.mails.append(message_from_bytes(self.read_mail(), policy=default))
                    self.say("250 kept")
                elif command == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine" if command in ("MAIL", "RCPT", "RSET") else "500 what?")

        def read_mail(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return b"".join(lines)

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with ThreadingTCPServer((HOST, 0), Handler) as server:
        found = MailServer(server.server_address[1])
        with _serving(server):
            yield found


@contextmanager
def _serving(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
