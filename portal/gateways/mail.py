"""Mail: sent by SMTP, or kept in a mailbox on disk (demo and tests) where /dev/mail shows it.

A task writes a letter and yields its sending (docs/decisions/0026). `key` makes a message recognisable: the same key
has the same Message-ID, and the kept mailbox takes it once.
"""

from __future__ import annotations

import hashlib
import mailbox
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from portal.core import clock, db, log
from portal.core.text import speaking

LINE = 78  # characters (RFC 5322, 2.1.1)
LASTS = 25.0  # seconds from connecting to the last answer, however slowly it drips
POLICY = SMTPUTF8.clone(refold_source="none")  # addresses in any script (RFC 6531); names are folded here


@dataclass(frozen=True)
class Letter:
    """A rendered message: subject, plain text and HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Attachment:
    filename: str
    content: bytes
    kind: str  # a MIME type, such as text/calendar; method=REQUEST


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None: ...


Renderer = Callable[[str, dict[str, Any]], Letter]
_transport: Transport | None = None
_render: Renderer | None = None
_sender = "Portal <no-reply@localhost>"


def connect(transport: Transport, render: Renderer, sender: str) -> None:
    """Say at start how mail leaves, how a notice becomes a letter, and from whom it comes."""
    global _transport, _render, _sender
    _transport, _render, _sender = transport, render, sender


def write(
    to: str, name: str, notice: str, locale: str, key: str, attachments: Sequence[Attachment] = (), **about: Any
) -> EmailMessage:
    """The letter of a `notice` to one person in their language."""
    if _render is None:
        raise RuntimeError("mail.connect was not called")
    with speaking(locale):
        letter = _render(notice, {"name": name, **about})
    return _message(to, name, letter, key, attachments)


def send(message: EmailMessage) -> None:
    """Hand a letter to the mail server; raises OSError or smtplib.SMTPException when it did not leave."""
    db.no_transaction()
    if _transport is None:
        raise RuntimeError("mail.connect was not called")
    _transport.send(message)


def _message(to: str, name: str, letter: Letter, key: str, attachments: Sequence[Attachment]) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    sender_name, sender = parseaddr(_sender)
    message.set_raw("Subject", _folded("Subject", letter.subject))
    message.set_raw("From", _mailbox("From", sender_name, sender))
    message.set_raw("To", _mailbox("To", name, to))
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    for one in attachments:
        kind, _, parameters = one.kind.partition(";")
        main, _, sub = kind.partition("/")
        message.add_attachment(one.content, maintype=main, subtype=sub, filename=one.filename)
        for parameter in filter(None, (part.strip() for part in parameters.split(";"))):
            field, _, value = parameter.partition("=")
            list(message.iter_attachments())[-1].set_param(field, value)
    return message


def _folded(field: str, words: str) -> str:
    """The words on one line, or as encoded words of at most 75 characters on lines of their own (RFC 2047).

    email.policy would fold them too, but puts a long word under an empty first line, which some servers refuse.
    """
    said = " ".join(words.split())
    if _is_plain(said) and len(field) + 2 + len(said) <= LINE:
        return said
    return Header(said, "utf-8", header_name=field, maxlinelen=LINE - 2).encode()


def _is_plain(words: str) -> bool:
    """Whether it is read as it is written; "=?" would begin an encoded word."""
    return words.isascii() and words.isprintable() and "=?" not in words


def _mailbox(field: str, name: str, address: str) -> str:
    said, address = " ".join(name.split()), "".join(address.split())
    if not said:
        return address
    whole = formataddr((said, address)) if _is_plain(said) and address.isascii() else ""
    if whole and len(field) + 2 + len(whole) <= LINE:
        return whole
    return f"{Header(said, 'utf-8', header_name=field, maxlinelen=LINE - 2).encode()}\n <{address}>"


def as_sent(message: EmailMessage) -> bytes:
    """The bytes of a letter, the same wherever it goes; lines end with CRLF."""
    return message.as_bytes(policy=POLICY)


class Smtp:
    """A mail server: smtp://user:password@host:587?tls=start (start, always or off)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._user, self._password = parts.hostname or "localhost", parts.username, parts.password
        self._tls = parse_qs(parts.query).get("tls", ["start" if parts.username else "off"])[0]
        self._port = parts.port or {"always": 465, "start": 587}.get(self._tls, 25)

    def send(self, message: EmailMessage) -> None:
        with self._signed_in() as server:
            sender, to = (parseaddr(str(message[field]))[1] for field in ("From", "To"))
            options = ["BODY=8BITMIME"]
            if not (sender + to).isascii():
                server.ehlo_or_helo_if_needed()
                if not server.has_extn("smtputf8"):
                    raise smtplib.SMTPNotSupportedError("SMTPUTF8")
                options.append("SMTPUTF8")
            # send_message would write the message anew, and ">" before a line that begins with "From "
            server.sendmail(sender, [to], as_sent(message), options)

    def check(self) -> None:
        """Sign in and say NOOP; raises OSError or smtplib.SMTPException when mail would not leave."""
        with self._signed_in() as server:
            server.noop()

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        server = self._server()
        with _over_in(LASTS, server), server:
            server.connect(self._host, self._port)
            if self._tls == "start":
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(unquote(self._user), unquote(self._password or ""))
            yield server

    def _server(self) -> smtplib.SMTP:
        if self._tls == "always":
            server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=20, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(timeout=20)
        server._host = self._host  # type: ignore[attr-defined]  # whose certificate is asked for; not connected yet
        return server


@contextmanager
def _over_in(seconds: float, server: smtplib.SMTP) -> Iterator[None]:
    """Cut the connection when it is not over by then: a timeout alone begins anew with each byte."""

    def cut() -> None:
        with suppress(OSError):
            if server.sock:
                server.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Mailbox:
    """A Maildir on disk: keeps every message once and can be read back."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._box = mailbox.Maildir(folder, factory=None, create=True)
        self._seen = folder / "seen"
        self._seen.mkdir(exist_ok=True)

    def send(self, message: EmailMessage) -> None:
        mark = self._seen / hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()
        if mark.exists():
            return
        self._box.add(as_sent(message))
        mark.touch()
        log.info("mail kept", message_id=str(message["Message-ID"]))

    def read(self, limit: int = 100) -> list[tuple[str, EmailMessage]]:
        """Keys and messages, newest first."""
        from email import message_from_binary_file, policy

        found = []
        for key in self._box.iterkeys():
            path = Path(self._box._path) / self._box._lookup(key)  # type: ignore[attr-defined]
            found.append((path.stat().st_mtime_ns, key, path))
        letters = []
        for _, key, path in sorted(found, reverse=True)[:limit]:
            with path.open("rb") as source:
                letters.append((key, message_from_binary_file(source, policy=policy.default)))
        return letters  # type: ignore[return-value]

    def clear(self) -> None:
        self._box.clear()
        for mark in self._seen.iterdir():
            mark.unlink(missing_ok=True)


def transport_for(url: str, keep_in: Path) -> Transport:
    """The transport a MAIL_URL asks for; none or keep: keeps mail on disk."""
    return Mailbox(keep_in) if not url or url.startswith("keep:") else Smtp(url)
