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
    `dependants` maps the patients the actor looks after to what they may do for them (view, book, profile).
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

    def cares_for(self, what: str) -> frozenset[UUID]:
        """The patients the actor may do this for: themselves, and those who are in their care for it."""
        found = {patient_id for patient_id, scopes in self.dependants.items() if what in scopes}
        if self.patient_id:
            found.add(self.patient_id)
        return frozenset(found)

    def may_use(self, scope: str) -> bool:
        """Whether a program was given `scope`; people are not narrowed."""
        return self.scopes is None or scope in self.scopes

    def at(self, door: str, address: str | None) -> Actor:
        return replace(self, door=door, address=address)


NOBODY = Actor(door="web")
SYSTEM = Actor(name="Portal", is_superadmin=True, door="system")
