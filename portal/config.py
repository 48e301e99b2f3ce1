"""Every setting of the portal, typed, required or defaulted. The only reader of the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import load_dotenv
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.5.0"  # of the portal; the API has one of its own
EXIT = 78  # what a process ends with whose settings are wrong (EX_CONFIG of sysexits.h): starting it again is no use


class ConfigError(Exception):
    """One message that names every setting that is missing or wrong."""


class Settings(BaseSettings):
    """What the portal is told at start. Names are environment variables in upper case."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, frozen=True)

    portal_mode: Literal["production", "demo", "test"] = "production"
    portal_data: Path = ROOT / "var"
    portal_name: str = "Portal"

    database_url: str = Field(min_length=1)  # as the role of the application, which owns no table
    database_owner_url: str = ""  # as the role that owns the tables, for migrations; empty: DATABASE_URL does both
    redis_url: str
    secret_key: str
    # secrets used before, the latest first, with commas between: what was made with them is still read
    secret_key_previous: str = ""
    secret_key_retired: str = ""  # secrets that others may know by now: only the audit made with them is checked
    base_url: str
    # where web and live listen; a proxy or a firewall stands in front
    host: str = "0.0.0.0"  # noqa: S104  # nosec B104
    port: int = Field(default=8000, ge=1, le=65535)  # of web
    live_port: int = Field(default=8001, ge=1, le=65535)
    web_workers: int = Field(default=2, ge=1, le=64)  # processes of web, 16 threads each
    # "transaction" behind a pooler that gives each transaction another connection (PgBouncer's pool_mode)
    database_pooling: Literal["session", "transaction"] = "session"
    database_pool_size: int = Field(default=20, ge=1, le=200)
    # where the processes of one `web` keep their counts for /metrics, emptied at its start; empty: PORTAL_DATA/metrics
    metrics_dir: str = ""
    live_connections: int = Field(
        default=5000, ge=100, le=100_000
    )  # of one `live` process; deploy/gunicorn.py reads it
    streams_per_account: int = Field(default=12, ge=1, le=1000)  # over all processes, pages and programs together

    # smtp://user:password@host:587?tls=start, or keep:// to keep mail in PORTAL_DATA/mail
    mail_url: str = Field(default="", validate_default=True)
    mail_from: str = "Portal <no-reply@localhost>"
    sms_url: str = ""  # the provider's https:// address, keep:// to keep messages in PORTAL_DATA/sms, empty: no SMS
    sms_token: str = ""
    sms_from: str = "Portal"  # a number or up to 11 letters, as the provider allows

    trusted_proxies: int = Field(default=0, ge=0, le=10)
    session_idle_minutes: int = Field(default=12 * 60, ge=5)
    session_absolute_hours: int = Field(default=24 * 14, ge=1)
    sudo_minutes: int = Field(default=15, ge=1)
    password_min_length: int = Field(default=12, ge=8, le=64)
    # Who must have a second factor: "staff" (all but patients) or nobody ("optional"). Empty: staff in production.
    second_factor: Literal["staff", "optional", ""] = ""
    access_token_minutes: int = Field(default=15, ge=1)
    refresh_token_days: int = Field(default=30, ge=1)
    rate_limits: bool = True

    default_locale: Literal["en", "fr", "ar"] = "en"
    default_time_zone: str = "Africa/Algiers"
    default_currency: str = Field(default="DZD", pattern="^[A-Z]{3}$")
    default_country: str = Field(default="DZ", pattern="^[A-Z]{2}$")  # of phone numbers without a country code
    hold_minutes: int = Field(default=10, ge=1, le=120)
    holds_without_account: int = Field(default=3, ge=1, le=100)  # at once, from one place
    # What all who have no account hold together of a practice's day, per cent; two times at least.
    holds_without_account_share: int = Field(default=25, ge=0, le=100)
    visits_ahead_per_account: int = Field(default=30, ge=1, le=1000)  # over everybody it books for
    video_url: str = ""  # the provider's https:// address with {room} in it; empty in production: no links

    superadmin_email: str = ""
    superadmin_password: str = ""

    oidc_name: str = ""
    oidc_metadata_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""

    cors_origins: str = ""  # sites whose scripts may call the API, such as https://app.example, with commas; or *

    # Webhooks to this very machine (http://127.0.0.1:…), for trying them out; never in production.
    webhooks_at_home: bool = True

    audit_seals_to: str = ""  # files and https:// addresses outside the database that get each seal, commas between

    metrics_token: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_postgres(cls, url: str) -> str:
        if url and not url.startswith(("postgresql://", "postgresql+psycopg2://", "postgres://")):
            raise ValueError("must be a postgresql:// address")
        url = url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url
        if url and not all(re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(:\d{1,5})?", one) for one in _hosts(url)):
            raise ValueError("must be an address such as postgresql://user:password@host:5432/name")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must be a redis://, rediss:// or unix:// address")
        return url

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str, info: ValidationInfo) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must be an http:// or https:// address")
        parts = urlsplit(url)
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be an address such as https://portal.example.org, with nothing after the host")
        if _in_production(info) and parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise ValueError("must be an https:// address in production")
        return f"{parts.scheme}://{parts.netloc.lower().encode('idna').decode()}"

    @field_validator("mail_url")
    @classmethod
    def _is_there_in_production(cls, url: str, info: ValidationInfo) -> str:
        if not url and _in_production(info):
            raise ValueError("is missing (smtp://user:password@host:587?tls=start)")
        return url

    @field_validator("sms_url")
    @classmethod
    def _is_a_provider(cls, url: str, info: ValidationInfo) -> str:
        if url and not url.startswith(("https://", "http://", "keep:")):
            raise ValueError("must be an https:// address or keep://")
        if url.startswith("http://") and _in_production(info):
            raise ValueError("must be an https:// address in production")
        return url

    @field_validator("video_url")
    @classmethod
    def _has_rooms(cls, url: str) -> str:
        if url and not (url.startswith("https://") and "{room}" in url):
            raise ValueError("must be an https:// address with {room} in it, such as https://video.example.org/{room}")
        return url

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: str) -> str:
        for one in filter(None, map(str.strip, origins.split(","))):
            if one != "*" and not one.startswith(("https://", "http://")):
                raise ValueError("must be origins such as https://app.example, with commas between, or *")
        return origins

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, key: str) -> str:
        if len(key) < 32:
            raise ValueError("must be at least 32 characters; make one with: openssl rand -hex 32")
        return key

    @field_validator("secret_key_previous", "secret_key_retired")
    @classmethod
    def _are_long(cls, keys: str) -> str:
        if any(len(key) < 32 for key in _listed(keys)):
            raise ValueError("must be the secrets used before, each of at least 32 characters, with commas between")
        return keys

    @field_validator("audit_seals_to")
    @classmethod
    def _are_places(cls, places: str, info: ValidationInfo) -> str:
        if not all(place.startswith(("/", "https://", "http://")) for place in _listed(places)):
            raise ValueError("must be absolute paths of files and https:// addresses, with commas between")
        if _in_production(info) and any(place.startswith("http://") for place in _listed(places)):
            raise ValueError("must name https:// addresses in production")
        return places

    @property
    def sqlalchemy_url(self) -> str:
        """DATABASE_URL as SQLAlchemy wants it."""
        return for_sqlalchemy(self.database_url)

    @property
    def previous_keys(self) -> list[str]:
        """Secrets used before this one, the latest first."""
        return _listed(self.secret_key_previous)

    @property
    def retired_keys(self) -> list[str]:
        """Secrets that only check what was written with them."""
        return _listed(self.secret_key_retired)

    @property
    def seal_places(self) -> list[str]:
        """Where each seal of the audit is sent: files and addresses."""
        return _listed(self.audit_seals_to)

    @property
    def is_demo(self) -> bool:
        return self.portal_mode == "demo"

    @property
    def is_test(self) -> bool:
        return self.portal_mode == "test"

    @property
    def staff_need_second_factor(self) -> bool:
        """Whether everyone but patients must have a second factor; the demo and tests ask for none unless told to."""
        return (self.second_factor or ("staff" if self.portal_mode == "production" else "optional")) == "staff"

    @property
    def keeps_mail(self) -> bool:
        """Mail is kept in a mailbox on disk instead of being sent (demo, tests, or on request)."""
        return not self.mail_url or self.mail_url.startswith("keep:")

    @property
    def sms_address(self) -> str:
        """Where SMS go; the demo and tests keep them unless told otherwise."""
        return self.sms_url or ("" if self.portal_mode == "production" else "keep://")

    @property
    def video_address(self) -> str:
        """Where the rooms of video visits are; the demo and tests have a public provider unless told otherwise."""
        return self.video_url or ("" if self.portal_mode == "production" else "https://meet.jit.si/{room}")

    @property
    def cors(self) -> list[str]:
        """The origins whose scripts may call the API; none unless told."""
        return [one.rstrip("/") for one in _listed(self.cors_origins)]

    @property
    def lets_webhooks_home(self) -> bool:
        """Whether webhooks may go to this very machine: in the demo and tests, unless told otherwise."""
        return self.webhooks_at_home and self.portal_mode != "production"

    @property
    def base_host(self) -> str:
        """The host of BASE_URL, with its port if it has one."""
        return urlsplit(self.base_url).netloc

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the portal answers: BASE_URL's; outside production this machine's own, too."""
        own = urlsplit(self.base_url).hostname or ""
        return frozenset({own} if self.portal_mode == "production" else {own, *LOOPBACK})

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")


def for_sqlalchemy(url: str) -> str:
    """A PostgreSQL address with its driver named and, of several hosts, each in the query: host=a:1&host=b:2."""
    scheme, _, rest = url.partition("://")
    hosts = _hosts(url)
    if len(hosts) > 1:
        place, mark, query = rest.partition("?")
        login, at, where = place.rpartition("@")
        name = where.partition("/")[2]
        listed = "&".join(f"host={host if ':' in host else f'{host}:5432'}" for host in hosts)
        rest = f"{login}{at}/{name}?{listed}{'&' if mark else ''}{query}"
    return f"{scheme.partition('+')[0]}+psycopg2://{rest}"


def _hosts(url: str) -> list[str]:
    """The hosts of a PostgreSQL address, each with its port if one is named: `a:5432,b:5432`, the form of libpq."""
    return url.partition("://")[2].partition("?")[0].rpartition("@")[2].partition("/")[0].split(",")


class LaunchSettings(BaseSettings):
    """What run_all is told before there are engines; what is empty here it finds or makes itself."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, frozen=True)

    portal_mode: str = "demo"
    portal_data: Path = ROOT / "var"
    port: int = Field(default=8000, ge=1, le=65535)
    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    secret_key: str = ""
    base_url: str = ""
    mail_url: str = "keep://"
    log_level: str = "WARNING"  # a line for each request would bury the accounts
    password_min_length: str = "8"  # noqa: S105 - a length, not a password


def before_start() -> LaunchSettings:
    """What the environment says to run_all; raises ConfigError naming all that is wrong."""
    try:
        return LaunchSettings()
    except ValidationError as wrong:
        raise ConfigError(_sentence(wrong)) from None


def child_environment(**settings: str) -> dict[str, str]:
    """The environment for a child process: ours, with these settings laid over it."""
    return {**os.environ, **settings}


def load(**overrides: object) -> Settings:
    """Settings from the environment and `overrides`; raises ConfigError naming all that is missing or wrong."""
    read_env_file()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as wrong:
        raise ConfigError(_sentence(wrong)) from None


def read_env_file() -> None:
    """Put into the environment what the file PORTAL_ENV_FILE says and the environment does not.

    Unset: `.env` beside wsgi.py where there is one. Empty: no file. Raises ConfigError when a file that was named
    cannot be read.
    """
    named = os.environ.get("PORTAL_ENV_FILE")
    path = Path(named) if named else ROOT / ".env"
    if named == "" or (named is None and not path.exists()):
        return
    try:
        with path.open(encoding="utf-8") as file:
            load_dotenv(stream=file, override=False, interpolate=False)
    except (OSError, UnicodeDecodeError) as why:
        said = why.strerror if isinstance(why, OSError) else "it is not UTF-8"
        raise ConfigError(f"The portal cannot start: its settings ({path}) cannot be read: {said}.") from None


def _in_production(info: ValidationInfo) -> bool:
    """Whether these are settings of production; portal_mode is the first field, so it is known."""
    return info.data.get("portal_mode") == "production"


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _sentence(wrong: ValidationError) -> str:
    lines = []
    for error in wrong.errors():
        name = ".".join(str(part) for part in error["loc"]).upper()
        said = "is missing" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
        lines.append(f"  {name} {said}")
    return "\n".join(["The portal cannot start. Set these in the environment (.env.example says more):", *lines])
