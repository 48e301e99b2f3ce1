"""Only the host of BASE_URL is answered, and whole addresses are made of nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from portal.config import ROOT, ConfigError, Settings, load
from portal.web import hosts
from tests.doors import Browser

FOREIGN = ("evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example", "[::1", "")


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_gets_a_sentence_and_no_page(client: Browser, host: str) -> None:
    answer = client.get("/doctors", headers={"Host": host, "Accept-Language": "fr"})
    assert answer.status_code == 421
    assert "http://localhost" in answer.text
    assert 'lang="fr"' in answer.text


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_gets_a_problem_at_the_door_for_programs(client: Browser, host: str) -> None:
    answer = client.get("/api/v1/specialties", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json(force=True)["code"] == "misdirected_request"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000"])
def test_outside_production_this_machine_is_answered_by_all_its_names(client: Browser, host: str) -> None:
    assert client.get("/doctors", headers={"Host": host}).status_code == 200


def test_in_production_only_the_host_of_base_url_is_answered() -> None:
    settings = _production("https://portal.example.org")
    answered = [host for host in ("portal.example.org", "Portal.Example.org:443", "localhost", "127.0.0.1", "10.0.0.7")
                if hosts.answers(_asked(host), settings)]  # fmt: skip
    assert answered == ["portal.example.org", "Portal.Example.org:443"]


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_monitors_may_ask_by_number(client: Browser, path: str) -> None:
    assert client.get(path, headers={"Host": "10.0.0.7:8000"}).status_code != 421


def test_the_next_page_is_at_base_url_whatever_port_was_asked(client: Browser, dr_benali: Any, dr_haddad: Any) -> None:
    answer = client.get("/api/v1/doctors?limit=1", headers={"Host": "localhost:6666"})
    assert answer.headers["Link"].startswith("<http://localhost/api/v1/doctors?")


def test_a_redirect_of_slashes_leads_to_base_url(client: Browser) -> None:
    answer = client.get("/api//v1/doctors", headers={"Host": "localhost:6666"})
    assert answer.status_code == 308
    assert answer.headers["Location"] == "http://localhost/api/v1/doctors"


def test_a_forwarded_host_counts_only_from_a_trusted_proxy(client: Browser, app: Flask) -> None:
    sent = {"X-Forwarded-Host": "evil.example"}
    assert client.get("/doctors", headers=sent).status_code == 200


@pytest.mark.parametrize(
    ("forwarded", "taken"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%" + "a" * 500, "fe80::1"),
        ("9" * 500, "192.0.2.1"),
        ("unknown", "192.0.2.1"),
    ],
)
def test_the_address_of_a_client_is_an_address(forwarded: str, taken: str) -> None:
    assert _place(forwarded) == taken


@pytest.mark.parametrize("url", ["https://", "https://portal.example.org/clinic", "https://user@portal.example.org"])
def test_base_url_is_a_host_and_nothing_behind_it(url: str) -> None:
    with pytest.raises(ConfigError, match="BASE_URL"):
        load(base_url=url, database_url="postgresql://x", redis_url="redis://x", secret_key="x" * 32)


def test_a_host_that_only_looks_like_this_machine_needs_https_in_production() -> None:
    with pytest.raises(ConfigError, match="BASE_URL must be"):
        _production("http://localhost.evil.example")


def test_the_shipped_proxy_names_the_host_and_answers_no_other() -> None:
    named = re.search(r"^BASE_URL=https://(\S+)", (ROOT / ".env.example").read_text(), re.M)
    servers = re.split(r"^server \{", Path(ROOT / "deploy/nginx.conf").read_text(), flags=re.M)[1:]
    assert named
    nameless = [one for one in servers if named[1] not in _names(one)]
    assert nameless and all("return 444;" in one and "default_server" in one for one in nameless)
    assert not any("default_server" in one for one in servers if one not in nameless)


def _names(server: str) -> str:
    found = re.search(r"server_name ([^;]+);", server)
    return found[1] if found else ""


def _production(url: str) -> Settings:
    return load(
        portal_mode="production", base_url=url, mail_url="keep://", database_url="postgresql://x",
        redis_url="redis://x", secret_key="x" * 32,
    )  # fmt: skip


def _asked(host: str) -> Any:
    with Flask(__name__).test_request_context("/", headers={"Host": host}):
        request.host  # noqa: B018 - kept while the context stands
        return request._get_current_object()  # type: ignore[attr-defined]


def _place(forwarded: str) -> str:
    """Whom the portal takes for the client behind one trusted proxy at 192.0.2.1."""
    probe = Flask(__name__)
    hosts.guard(probe, _production("https://portal.example.org").model_copy(update={"trusted_proxies": 1}))
    probe.add_url_rule("/", view_func=lambda: str(request.remote_addr))
    sent = {"X-Forwarded-For": forwarded}
    return probe.test_client().get("/", headers=sent, environ_base={"REMOTE_ADDR": "192.0.2.1"}).text
