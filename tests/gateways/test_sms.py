"""SMS leave by a provider or are kept on disk; texts stay short, and a refusal is told from a provider that is away."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.gateways import sms
from portal.gateways.sms import Folder, Http


@pytest.fixture
def provider():
    """A provider on loopback: its address, what it was sent, and the status it answers with."""

    class Handler(BaseHTTPRequestHandler):
        received: list = []
        status = 200

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.received.append((dict(self.headers), body))
            self._answer()

        def do_OPTIONS(self):
            self._answer()

        def _answer(self):
            self.send_response(self.status)
            if self.status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/messages", Handler
        listening.shutdown()


def test_a_message_reaches_the_provider_whole(provider):
    address, handler = provider
    Http(address, "secret", "Portal").send("+213550000001", "See you", "delivery:1")
    headers, body = handler.received[0]
    assert body == {"to": "+213550000001", "from": "Portal", "text": "See you", "key": "delivery:1"}
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Idempotency-Key"] == "delivery:1"


@pytest.mark.parametrize("status", [200, 201, 202, 409])
def test_what_was_taken_now_or_before_is_sent(provider, status):
    address, handler = provider
    handler.status = status
    Http(address, "secret", "Portal").send("+213550000001", "See you", "1")
    assert len(handler.received) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_what_is_refused_for_good_is_told_from_what_may_be_tried_again(provider, status):
    address, handler = provider
    handler.status = status
    with pytest.raises(sms.Refused):
        Http(address, "secret", "Portal").send("+213550000001", "See you", "1")


@pytest.mark.parametrize("status", [302, 401, 403, 429, 500, 503])
def test_a_provider_that_cannot_now_is_away(provider, status):
    address, handler = provider
    handler.status = status
    with pytest.raises(OSError, match=str(status)):
        Http(address, "secret", "Portal").send("+213550000001", "See you", "1")


def test_nobody_listening_is_away():
    with pytest.raises(OSError, match="refused"):
        Http("http://127.0.0.1:9/messages", "secret", "Portal").send("+213550000001", "See you", "1")


@pytest.mark.parametrize(("status", "well"), [(204, True), (405, True), (401, False), (403, False), (503, False)])
def test_the_check_sends_nothing_and_says_whether_the_provider_knows_us(provider, status, well):
    address, handler = provider
    handler.status = status
    try:
        Http(address, "secret", "Portal").check()
        said = True
    except OSError:
        said = False
    assert said is well
    assert handler.received == []


def test_the_folder_keeps_each_key_once_and_shows_the_newest_first(tmp_path):
    box = Folder(tmp_path / "sms")
    for key, text in (("1", "first"), ("2", "second"), ("1", "first again")):
        box.send("+213550000001", text, key)
    assert sorted(one.text for one in box.read()) == ["first", "second"]
    assert box.read(1)[0].to == "+213550000001"
    box.clear()
    assert box.read() == []


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Clinique du Front de Mer – 10:00", "Clinique du Front de Mer - 10:00"),
        ("l’hôpital “Mère”…", 'l\'hopital "Mère"...'),
        ("façade", "facade"),
        ("عيادة الجزائر", "عيادة الجزائر"),
        ("06\u200f/01", "06/01"),
        ("Cœur d’Alger", "Coeur d'Alger"),
        ("ŒUVRE n° 3 · 10\u202f000 DA", "OEUVRE no 3 - 10 000 DA"),
        ("Łukasz Đoković rue de l\u2010Œil\u00a0!", "Lukasz Dokovic rue de l-OEil !"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("Cœur : أمينة بن علي", "Cœur : أمينة بن علي"),
        ("50 € [A] {B} ~", "50 € [A] {B} ~"),
    ],
)
def test_texts_stay_in_the_small_alphabet_where_their_script_has_one(written, sent):
    assert sms.plain(written) == sent


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # an escaped letter is two septets
        ("€" * 81, 2),
        ("€" * 152, 2),  # 76 in each part: none is cut in two
        ("€" * 153, 3),
        ("a" * 152 + "€" * 5, 2),
        ("a" * 152 + "€" + "b" * 151, 2),
        ("a" * 152 + "€" + "b" * 152, 3),
        ("ا" * 70, 1),
        ("ا" * 71, 2),
        ("ا" * 134, 2),
        ("ا" * 135, 3),
        ("😀" * 35, 1),  # two code units of UTF-16 each
        ("😀" * 36, 2),
        ("😀" * 66, 2),  # 33 in each part
        ("😀" * 67, 3),
    ],
)
def test_long_texts_are_counted_as_the_network_does(text, parts):
    assert sms.parts(text) == parts


def test_without_a_provider_nothing_is_said_by_sms(app):
    kept = sms._transport
    try:
        sms.connect(None, "http://localhost")
        assert not sms.is_on()
        with pytest.raises(sms.Refused):
            sms.send("+213550000001", "See you", "1")
    finally:
        sms.connect(kept, "http://localhost")


@pytest.mark.parametrize(("url", "kind"), [("", type(None)), ("keep://", Folder), ("https://sms.example", Http)])
def test_the_setting_says_how_messages_leave(tmp_path, url, kind):
    assert isinstance(sms.transport_for(url, "secret", "Portal", tmp_path / "sms"), kind)
