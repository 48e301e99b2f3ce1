"""Webhooks on their way out: one POST to a public address, over in ten seconds, never followed elsewhere.

A task yields the POST (docs/decisions/0026); `vet` is asked by a verb too, so that an address inside is refused when
it is written down, and waits for the name LOOKS_UP_FOR at most. The name is looked up once, every address it leads to
must be public, and the connection is made to exactly what was looked at: a name that leads elsewhere a moment later
(DNS rebinding) leads nowhere. TLS proves the name, not the number.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from portal.core import clock, db

LASTS = 10.0  # seconds from looking up the name to the last byte
LOOKS_UP_FOR = 3.0  # seconds, of which those are part
MOST_LOOKING_UP = 16  # at once in this process; whoever comes then is told that it took too long
MOST_READ = 64 * 1024  # of an answer, of which nothing is kept
GONE = 410
BUSY = (429, 503)
PORTS = {"https": 443, "http": 80}

Place = tuple[socket.AddressFamily, Any]
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

# Ranges that are global on paper but carry an IPv4 address that may be inside (RFC 6052, RFC 8215).
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_at_home = False
_looking_up = threading.BoundedSemaphore(MOST_LOOKING_UP)


class NotPublic(Exception):
    """The address leads into our own network, or to this very machine."""


@dataclass(frozen=True)
class Outcome:
    """What came of a POST: the status, or why there is none. `error` is a code of ERRORS or empty.

    `rest` is how long a receiver that has too much to do (429, 503) asks to be left alone.
    """

    status: int | None
    took_ms: int
    error: str = ""
    rest: timedelta = timedelta(0)

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


# Why there was no good answer: redirect and status have one, the others none.
ERRORS = ("not_public", "name", "timeout", "certificate", "connection", "redirect", "status")


def connect(*, at_home: bool) -> None:
    """Say at start whether receivers on this very machine are allowed, by http too: for the demo and tests."""
    global _at_home
    _at_home = at_home


def is_at_home(host: str) -> bool:
    """Whether this name is this very machine's and that is allowed."""
    return _at_home and host in {"localhost", "127.0.0.1", "::1"}


def vet(url: str) -> list[Place]:
    """Where the address leads now; raises NotPublic if any of it is inside, OSError when it leads nowhere."""
    parts = urlsplit(url)
    found = lookup(parts.hostname or "", _port(parts))
    if not all(_is_allowed(ipaddress.ip_address(place[0].partition("%")[0])) for _family, place in found):
        raise NotPublic
    return found


def lookup(host: str, port: int) -> list[Place]:
    """What a name leads to; raises OSError, TimeoutError when that is not known within LOOKS_UP_FOR.

    The system's resolver has no time limit of its own, so it is asked in a thread that may be left behind.
    """
    slots = _looking_up
    if not slots.acquire(blocking=False):
        raise TimeoutError
    answer: queue.SimpleQueue[list[Place] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answer, slots), daemon=True, name="portal-lookup").start()
    try:
        found = answer.get(timeout=LOOKS_UP_FOR)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found


def _look_up(
    host: str, port: int, answer: queue.SimpleQueue[list[Place] | OSError], slots: threading.BoundedSemaphore
) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answer.put([(family, place) for family, _type, _protocol, _name, place in found])
    except OSError as failed:
        answer.put(failed)
    except UnicodeError:  # a name that can be none
        answer.put(socket.gaierror(socket.EAI_NONAME, "not a name"))
    finally:
        slots.release()


def is_public(ip: Ip) -> bool:
    """Whether anybody on the internet may be behind this number, and nobody else."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(inner)
        if ip.is_site_local or any(ip in network for network in _TRANSLATED):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Send it once; never raises for what the receiver does. A redirect is not followed: it is an answer, not 2xx."""
    db.no_transaction()
    begun = time.monotonic()

    def outcome(status: int | None, error: str = "", rest: timedelta = timedelta(0)) -> Outcome:
        return Outcome(status, round((time.monotonic() - begun) * 1000), error, rest)

    try:
        status, retry_after = _send(url, body, headers, begun + LASTS)
    except NotPublic:
        return outcome(None, "not_public")
    except socket.gaierror:
        return outcome(None, "name")
    except TimeoutError:
        return outcome(None, "timeout")
    except ssl.SSLError:
        return outcome(None, "certificate")
    except (OSError, http.client.HTTPException, ValueError):
        return outcome(None, "connection")
    if 200 <= status < 300:
        return outcome(status)
    rest = _rest(retry_after) if status in BUSY else timedelta(0)
    return outcome(status, "redirect" if 300 <= status < 400 else "status", rest)


def _rest(retry_after: str) -> timedelta:
    """What Retry-After says, seconds or a date (RFC 9110); nothing when it says nothing we can read."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after, re.ASCII):
        return timedelta(seconds=int(retry_after))
    try:
        return max(parsedate_to_datetime(retry_after) - clock.now(), timedelta(0))
    except (ValueError, TypeError):  # no date, or one without a zone
        return timedelta(0)


def _send(url: str, body: bytes, headers: Mapping[str, str], until: float) -> tuple[int, str]:
    parts = urlsplit(url)
    with _open(parts, vet(url), until) as connected:
        connection = _Timed(parts, connected, until)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        with suppress(OSError, http.client.HTTPException, ValueError):
            answer.read(MOST_READ)  # so that the receiver is not cut off in the middle of a short word
        return answer.status, answer.headers.get("Retry-After", "")


def _open(parts: SplitResult, places: list[Place], until: float) -> socket.socket:
    """Connected to the first of these numbers that takes us, encrypted when the address asks for it."""
    last: OSError = OSError("nowhere to go")
    for family, place in places:
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(_left(until))
            plain.connect(place)
            if parts.scheme != "https":
                return plain
            return _secure().wrap_socket(plain, server_hostname=parts.hostname)
        except ssl.SSLError:
            plain.close()
            raise
        except OSError as away:
            plain.close()
            last = away
    raise last


class _Timed(http.client.HTTPConnection):
    """One exchange on a socket that is connected already; all of it ends at `until`, however slowly bytes drip."""

    def __init__(self, parts: SplitResult, connected: socket.socket, until: float) -> None:
        super().__init__(cast(str, parts.hostname), _port(parts))
        self.default_port = PORTS[parts.scheme]  # left out of Host
        self.sock = connected
        connected.settimeout(_left(until))
        self.response_class = lambda sock, **more: http.client.HTTPResponse(_Reading(sock, until), **more)  # type: ignore[assignment, arg-type]


class _Reading(io.RawIOBase):
    """What comes in on a socket until a moment; raises TimeoutError after it."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        self._sock.settimeout(_left(self._until))
        return self._sock.recv_into(into)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _port(parts: SplitResult) -> int:
    return parts.port or PORTS.get(parts.scheme, 443)


def _is_allowed(ip: Ip) -> bool:
    return is_public(ip) or (_at_home and ip.is_loopback)


@cache
def _secure() -> ssl.SSLContext:
    return ssl.create_default_context()
