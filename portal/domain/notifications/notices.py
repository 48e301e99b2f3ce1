"""One function per notice: who is told, and what about. To be filled below."""

from __future__ import annotations

from portal.core.tasks import task


@task
def appointment_booked(event_id: str, appointment_id: str) -> None: ...


@task
def appointment_confirmed(event_id: str, appointment_id: str) -> None: ...


@task
def appointment_declined(event_id: str, appointment_id: str) -> None: ...


@task
def appointment_moved(event_id: str, appointment_id: str) -> None: ...


@task
def appointment_cancelled(event_id: str, appointment_id: str) -> None: ...
