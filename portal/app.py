"""The Flask application with one transaction around each request: an answer below 400 keeps, anything else undoes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from htmx_flask.requests import HtmxAwareRequest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.routing import MapAdapter

from portal import request_log
from portal.config import Settings
from portal.core import db, faults, log, prepared
from portal.core.actor import NOBODY
from portal.core.errors import Conflict, NotFound, Refused, Unavailable
from portal.core.events import record

TRIES = 3
Result = TypeVar("Result")


class PortalFlask(Flask):
    """Flask whose every request is one transaction."""

    request_class = HtmxAwareRequest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wsgi_app = request_log.RequestLog(self.wsgi_app)  # type: ignore[method-assign]

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's, making whole addresses of BASE_URL whatever host, port and scheme a request says it came by."""
        adapter = super().create_url_adapter(request)
        settings: Settings | None = self.extensions.get("portal.settings")
        if adapter and request and settings:
            adapter.server_name, adapter.url_scheme = settings.base_host, urlsplit(settings.base_url).scheme
        return adapter

    def process_response(self, response: Response) -> Response:
        """Everything that is done to an answer; also of one that fails here, the log knows the route."""
        request_log.note(response)
        if response.status_code == Unavailable.status:
            response.headers.setdefault("Retry-After", str(Unavailable.again_after))
        return super().process_response(response)

    def log_exception(self, exc_info: Any) -> None:
        """Log what went wrong after the view; Flask would name the address."""
        log.error("request failed", exc_info=exc_info[1], endpoint=request.endpoint)

    def preprocess_request(self) -> Any:
        """Ask who comes; once more when the database, or a pooler, had exchanged the connection meanwhile."""
        if "\x00" in request.path:
            raise NotFound  # no name has it, and PostgreSQL takes it in no text
        try:
            return super().preprocess_request()
        except DBAPIError as error:
            db.undo()
            if not (error.connection_invalidated or prepared.was_lost(error)):
                raise _refusal_for(error) from error.orig
        try:
            return super().preprocess_request()
        except DBAPIError as error:
            raise _refusal_for(error) from error.orig

    def dispatch_request(self) -> Any:
        """Call the view; keep what it did when it answers, undo it when it refuses or fails.

        A transaction that PostgreSQL gave up for another's sake, or that lost its connection before it was to be kept,
        is tried again whole, so nobody sees a deadlock or a restart.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return self._in_one_transaction()
            except DBAPIError as error:
                lost = error.connection_invalidated and not g.get("keeping")
                again = lost or db.was_deadlock(error) or prepared.was_lost(error)
                db.undo()
                if again and attempt < TRIES:
                    time.sleep(0.01 * attempt)
                    continue
                raise _refusal_for(error) from error.orig
            except PoolTimeout as error:
                db.undo()
                log.seldom("database unavailable", kind="PoolTimeout", reason="all connections are busy")
                raise Unavailable from error
        raise AssertionError("unreachable")

    def apart(self, work: Callable[[], Result]) -> Result:
        """Do `work` in a context and a transaction of its own: for streams, which hold neither while they wait."""
        with self.app_context():
            for last in (False, True):
                try:
                    with db.transaction():
                        return work()
                except DBAPIError as error:
                    if last or not prepared.was_lost(error):
                        raise _refusal_for(error) from error.orig
                except PoolTimeout as error:
                    raise Unavailable from error
            raise AssertionError("unreachable")

    def _in_one_transaction(self) -> Response:
        try:
            answer = self.make_response(super().dispatch_request())
            if answer.status_code < 400:
                g.keeping = True  # from here on nobody knows whether a lost commit was done
                db.keep()
            else:
                db.undo()
        except Refused as no:
            db.undo()
            afterwards(no)
            raise
        except BaseException:
            db.undo()
            raise
        refusal = g.pop("refusal", None)
        if refusal is not None:
            afterwards(refusal)
        return answer


def afterwards(no: Refused) -> None:
    """What a refusal leaves behind although the request was undone: an audit event, a revoked family."""
    follow = getattr(no, "afterwards", None)
    if not no.audit and follow is None:
        return
    with db.transaction():
        if no.audit:
            record(g.get("actor", NOBODY), no.audit, **{k: v for k, v in no.facts.items() if k.endswith("_id")})
        if follow is not None:
            follow()


def _refusal_for(error: DBAPIError) -> BaseException:
    """The refusal a database error means to a person; the error itself when it is our fault."""
    if isinstance(error, IntegrityError):
        log.warning("constraint", constraint=getattr(getattr(error.orig, "diag", None), "constraint_name", None))
        return Conflict()
    if db.unavailable(error) or db.was_deadlock(error):
        log.seldom("database unavailable", kind=type(error.orig).__name__, reason=faults.reason(error))
        return Unavailable()
    return error
