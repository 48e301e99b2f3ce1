"""What comes in when a clinic asks about a record."""

from __future__ import annotations

from uuid import UUID

from portal.core.shapes import Shape
from portal.domain.identity.shapes import Email
from portal.domain.patients.desk_shapes import PatientAtDesk
from portal.domain.patients.family_shapes import CareAtClinic


class ChangeAtDesk(PatientAtDesk):
    """A patient's data as the desk knows them now; `on_paper`: what the patient has to allow they signed."""

    on_paper: bool = False


class CarerAtDesk(CareAtClinic):
    """Somebody should act for the patient at this clinic."""

    on_paper: bool = False


class HandOverAtDesk(Shape):
    """Another address than the record's, to which the record should be handed over."""

    email: Email
    on_paper: bool = False
    clinic_id: UUID | None = None
