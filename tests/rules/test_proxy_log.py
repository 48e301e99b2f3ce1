"""What the shipped proxy logs: no query, no Referer, and no secret that stands in an address."""

from __future__ import annotations

import re
from functools import cache

import pytest
from flask import Flask
from werkzeug.routing import UnicodeConverter

from tests.rules.source import ROOT

SECRET = "WlNkJTJGc2VjcmV0LXBsYW50ZWQ"
KNOWN = {"slug", "filename"}  # names of doctors, clinics and files: public


@cache
def conf() -> str:
    return (ROOT / "deploy" / "nginx.conf").read_text()


@cache
def rules() -> list[tuple[re.Pattern[str], str]]:
    """The map of $logged_uri, in its order."""
    body = re.search(r"map \$uri \$logged_uri {(.*?)\n}", conf(), re.DOTALL)
    assert body
    found = re.findall(r'^\s*"~(.+)" "(.+?)";', body[1], re.MULTILINE)
    assert found
    return [(re.compile(one.replace("(?<", "(?P<")), value) for one, value in found]


def logged(path: str) -> str:
    """What the proxy logs of a path."""
    for pattern, value in rules():
        if match := pattern.search(path):
            return value.replace("${kept}", match["kept"])
    return path


def test_no_route_s_secret_is_logged(app: Flask) -> None:
    """Every part of an address that is text and no slug: links in letters, check-in, calendar feeds."""
    seen = set()
    for rule in app.url_map.iter_rules():
        secrets = {
            name for name, one in rule._converters.items() if type(one) is UnicodeConverter and name not in KNOWN
        }
        if not secrets or rule.endpoint.startswith(("dev.", "static")):
            continue
        path = rule.rule
        for name in rule.arguments:
            path = re.sub(rf"<(\w+:)?{name}>", SECRET if name in secrets else "x", path)
        seen.add(rule.endpoint)
        assert SECRET not in logged(path), rule
        assert logged(path).endswith("/-")
        assert SECRET not in logged(path + "/and/more")
    assert len(seen) >= 7, seen


@pytest.mark.parametrize(
    "path", ["/", "/doctors", "/doctors/dr-samira-benali", "/patient/appointments", "/api/v1/appointments", "/go"]
)
def test_other_addresses_are_logged_as_they_are(path: str) -> None:
    assert logged(path) == path


def test_what_is_longer_than_anything_of_ours_is_cut() -> None:
    assert logged(f"/typo/{SECRET * 3}") == "/typo/-"


def test_the_log_names_nothing_else_that_may_hold_a_secret() -> None:
    form = re.search(r"log_format redacted escape=json(.*?);\n", conf(), re.DOTALL)
    assert form
    named = set(re.findall(r"\$(\w+)", form[1]))
    assert named == {
        "time_iso8601", "remote_addr", "request_method", "logged_uri", "status", "body_bytes_sent", "request_time",
        "upstream_response_time", "sent_http_x_request_id",
    }  # fmt: skip


def test_every_server_logs_that_way_or_not_at_all() -> None:
    """Directives of the image's own configuration are inherited where a server says nothing."""
    servers = conf().split("\nserver {")[1:]
    assert len(servers) == 3
    for one in servers:
        logs = re.findall(r"^\s*access_log ([^;]+);", one, re.MULTILINE)
        assert logs in (["off"], ["/var/log/nginx/access.log redacted"])
        if logs != ["off"]:  # less urgent entries of the error log name the whole request
            assert re.findall(r"^\s*error_log (\S+) (\w+);", one, re.MULTILINE) == [
                ("/var/log/nginx/error.log", "crit")
            ]
