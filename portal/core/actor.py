"""Who acts: a person, a program or the portal itself, with everything that decides what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from portal.core import places

PATIENT, DOCTOR, STAFF, PHARMACIST, ADMIN, SUPERADMIN = (
    "patient",
    "doctor",
    "staff",
    "pharmacist",
    "admin",
    "superadmin",
)
ROLES = (PATIENT, DOCTOR, STAFF, PHARMACIST, ADMIN, SUPERADMIN)


@dataclass(frozen=True, slots=True)
class Actor:
    """One identity object, whether it came by cookie, by token or from a task.

    `clinics` maps a role to the clinics it is held in; `patient_id` and `doctor_id` are the actor's own profiles;
    `dependants` maps the patients the actor looks after to what they may do for them (view, book, profile), in the
    whole record; `dependants_at` those a clinic's desk has named them for, by patient and clinic: what they may do
    there, with the visits of that clinic alone.
    `scopes` is None for people and a set for programs: a scope only narrows what the roles allow.
    """

    user_id: UUID | None = None
    name: str = ""
    email: str = ""
    email_verified: bool = False
    locale: str = "en"
    is_superadmin: bool = False
    clinics: dict[str, frozenset[UUID]] = field(default_factory=dict)
    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    dependants: dict[UUID, frozenset[str]] = field(default_factory=dict)
    dependants_at: dict[tuple[UUID, UUID], frozenset[str]] = field(default_factory=dict)  # (patient, clinic)
    scopes: frozenset[str] | None = None
    session_id: UUID | None = None
    sudo: bool = False
    has_factor: bool = False  # a second factor protects the account, or it is a program's own, which has no phone
    door: str = "task"
    address: str | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def place(self) -> str:
        """Where the request comes from, as limits count it: an IPv4 address or the /64 of an IPv6 address."""
        return places.of(self.address)

    @property
    def is_system(self) -> bool:
        return self.door == "system"

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles held anywhere, in the order people see them."""
        own = {role for role, clinics in self.clinics.items() if clinics}
        if self.patient_id:
            own.add(PATIENT)
        if self.doctor_id:
            own.add(DOCTOR)
        if self.is_superadmin:
            own.add(SUPERADMIN)
        return tuple(role for role in ROLES if role in own)

    def has_role(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)

    def clinics_as(self, *roles: str) -> frozenset[UUID]:
        """The clinics in which the actor holds one of `roles`."""
        return frozenset().union(*(self.clinics.get(role, frozenset()) for role in roles))

    def works_at(self, clinic_id: UUID) -> bool:
        """Whether the actor is front desk or admin of this clinic, or superadmin."""
        return self.is_superadmin or clinic_id in self.clinics_as(STAFF, ADMIN)

    def administers(self, clinic_id: UUID) -> bool:
        return self.is_superadmin or clinic_id in self.clinics_as(ADMIN)

    def cares_for(self, what: str, *, at: UUID | None = None) -> frozenset[UUID]:
        """The patients the actor may do this for: themselves, and those whose whole record is in their care for it.

        With `at`, a clinic: also those who are in their care there only. Nothing of a record but what belongs to that
        clinic may be shown or changed by that.
        """
        found = {patient_id for patient_id, scopes in self.dependants.items() if what in scopes}
        if self.patient_id:
            found.add(self.patient_id)
        if at is not None:
            found.update(patient_id for patient_id, clinic_id in self.parts(what) if clinic_id == at)
        return frozenset(found)

    def parts(self, what: str) -> frozenset[tuple[UUID, UUID]]:
        """The patients the actor may do this for at one clinic only, each with the clinic."""
        return frozenset(part for part, scopes in self.dependants_at.items() if what in scopes)

    def cares_somewhere(self, what: str) -> frozenset[UUID]:
        """The patients of whom the actor reaches anything for this, be it at one clinic; says not what of them."""
        return self.cares_for(what) | {patient_id for patient_id, _clinic_id in self.parts(what)}

    def may_use(self, scope: str) -> bool:
        """Whether a program was given `scope`; people are not narrowed."""
        return self.scopes is None or scope in self.scopes

    def at(self, door: str, address: str | None) -> Actor:
        return replace(self, door=door, address=address)


NOBODY = Actor(door="web")
SYSTEM = Actor(name="Portal", is_superadmin=True, door="system")
