"""Mail leaves by SMTP or is kept on disk; either way it is whole, safe and told once."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socketserver
import threading
import time
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.gateways import mail
from portal.gateways.mail import Attachment, Letter, Mailbox, Smtp
from tests.mail_server import mail_server

LETTER = Letter("Confirmed: té\r\nBcc: thief@example.com", "See you – à bientôt", "<p>See you</p>")


@pytest.fixture
def server():
    """A mail server on loopback: its address and the messages it took."""
    with mail_server() as standing:
        yield standing


def test_a_letter_arrives_whole(server):
    address, handler = server
    calendar = Attachment("appointment.ics", b"BEGIN:VCALENDAR", "text/calendar; method=PUBLISH; charset=utf-8")
    Smtp(address).send(_message("amina@example.dz", "Amina", calendar))
    message = message_from_bytes(handler.received[0], policy=policy.default)
    assert message.get_body(("plain",)).get_content().strip() == "See you – à bientôt"
    part = next(message.iter_attachments())
    assert (part.get_filename(), part.get_param("method")) == ("appointment.ics", "PUBLISH")


LINES = st.text("Fro m.>éق\n😀", max_size=400)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=LINES)
@example(text="From here on:\n.\n..\n>From Samira\n")
@pytest.mark.drill("Mail")
def test_what_a_server_received_is_what_the_mailbox_shows(server, tmp_path, text):
    address, handler = server
    handler.received.clear()
    box = Mailbox(tmp_path / "mail")
    box.clear()
    letter = mail._message("amina@example.dz", "Amina", Letter("Visit", text, f"<pre>{text}</pre>"), text, ())
    Smtp(address).send(letter)
    box.send(letter)
    ((_, shown),) = box.read()
    sent = re.sub(rb"^\.", b"", handler.received[0], flags=re.M)  # RFC 5321, 4.5.2
    received = message_from_bytes(sent, policy=policy.default)
    for kind in ("plain", "html"):
        words = [one.get_body((kind,)).get_content().replace("\r\n", "\n") for one in (received, shown)]
        assert words[0] == words[1] and text.rstrip("\n") in words[0]
    assert dict(received) == dict(shown)


def test_no_name_and_no_subject_can_add_a_header(server):
    address, handler = server
    Smtp(address).send(_message("amina@example.dz", "Amina\r\nBcc: thief@example.com"))
    message = message_from_bytes(handler.received[0], policy=policy.default)
    assert message["Bcc"] is None
    assert "thief" in message["Subject"] and "thief" in str(message["To"])


def test_an_address_may_be_written_in_any_script(server):
    address, handler = server
    Smtp(address).send(_message("zinédine@example.dz", "زين الدين"))
    assert "zinédine@example.dz" in handler.received[0].decode()


SCRIPTS = (
    "abcdefghijklmnopqrstuvwxyz", "ABC -.,", "éèçœŒÆß", "ءآأابتثجحخ ", "漢字かな", "😀👩⚕",
    'a"\\()<>@,;:[]', "a\u00a0\u202f’",
)  # fmt: skip
NAMES = st.one_of(*(st.text(alphabet, max_size=160) for alphabet in SCRIPTS), st.text("aé ءا", max_size=160))


@settings(max_examples=60, deadline=None)
@given(given_name=NAMES, family_name=NAMES, address=st.sampled_from(["a@example.dz", f"{'l' * 64}@{'d' * 60}.example"]))
@example(given_name="G" * 77, family_name="F" * 78, address="a@example.dz")
@example(given_name="ق" * 77, family_name="ف" * 78, address="a@example.dz")
@example(given_name="=?utf-8?q?x?=", family_name="", address="a@example.dz")
def test_a_name_of_any_length_and_script_is_read_back_from_lines_that_are_never_empty(given_name, family_name, address):
    name = f"{given_name} {family_name}"
    letter = Letter(f"For {name}", "words", "<p>words</p>")
    written = mail._message(address, name, letter, "key", ()).as_bytes(policy=mail.POLICY.clone(linesep="\r\n"))
    head = written.partition(b"\r\n\r\n")[0].decode("ascii")
    fields = [line for line in head.split("\r\n") if not line.startswith(("Content-", "MIME", "Message-ID"))]
    assert all(line.strip() and not line.endswith(": ") and not line.endswith(":") for line in fields)
    assert all(len(line) <= 78 for line in fields if address not in line)
    read = message_from_bytes(written)
    assert _decoded(read["Subject"]) == f"For {' '.join(name.split())}".strip()
    said, addressed = parseaddr(read["To"])
    assert (addressed, _decoded(said)) == (address, " ".join(name.split()))


def _decoded(words: str) -> str:
    """Encoded words as RFC 2047 reads them; policy.default leaves blanks between those of a display name."""
    return str(make_header(decode_header(words)))


def test_a_server_that_drips_is_left_in_time(monkeypatch):
    monkeypatch.setattr(mail, "LASTS", 0.3)

    class Dripping(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"2")
                    time.sleep(0.02)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        begun = time.monotonic()
        with pytest.raises((smtplib.SMTPException, OSError)):
            Smtp(f"smtp://127.0.0.1:{listening.server_address[1]}").send(_message("amina@example.dz", "Amina"))
        assert time.monotonic() - begun < 10
        listening.shutdown()


def test_a_refusal_is_an_error_so_that_it_is_tried_again(server):
    address, handler = server
    handler.refuses = True
    with pytest.raises(smtplib.SMTPException):
        Smtp(address).send(_message("amina@example.dz", "Amina"))


def test_a_server_that_is_away_is_an_error_so_that_it_is_tried_again():
    with pytest.raises(ConnectionRefusedError):
        Smtp("smtp://127.0.0.1:9").send(_message("amina@example.dz", "Amina"))


def test_the_mailbox_takes_the_same_message_once(tmp_path):
    box = Mailbox(tmp_path / "mail")
    for _ in range(2):
        box.send(_message("amina@example.dz", "Amina"))
    assert [str(message["To"]) for _, message in box.read()] == ["Amina <amina@example.dz>"]


def _message(to: str, name: str, *attachments: Attachment):
    return mail._message(to, name, LETTER, "key", attachments)
