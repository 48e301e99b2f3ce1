"""Conflicts that the domain says with a code of its own, so that the description names each of them."""

from __future__ import annotations

from portal.core.errors import Conflict
from portal.core.text import lazy as _


class AlreadyMember(Conflict):
    code = "already_member"
    sentence = _("This person has this role in the clinic already.")


class OwnRole(Conflict):
    code = "own_role"
    sentence = _("You cannot end your own role. Ask another admin.")


class Deactivated(Conflict):
    code = "deactivated"
    sentence = _("This account is deactivated. Reactivate it first.")


class OwnAccount(Conflict):
    """Deactivating oneself, or caring for oneself."""

    code = "own_account"


class OwnAddress(Conflict):
    code = "own"
    sentence = _("This is your own address. Please write the address of the person themselves.")


class HasAccount(Conflict):
    code = "has_account"
    sentence = _("This person has an account of their own already.")


class HasRecord(Conflict):
    code = "has_record"
    sentence = _("Your account has visits of its own already. Please ask the clinic's front desk for help.")


class OwnRecord(Conflict):
    code = "own_record"
    sentence = _("Nobody needs leave to act for themselves.")


class InFamily(Conflict):
    code = "in_family"
    sentence = _("This person is in your family already.")


class Ended(Conflict):
    code = "ended"
    sentence = _("This is over already.")


class IsPatient(Conflict):
    code = "is_patient"
    sentence = _("You have a patient profile already.")


class TooManyAllergies(Conflict):
    code = "too_many_allergies"
    sentence = _("This list is full. Please remove what is not needed.")


class AlreadyDoctor(Conflict):
    code = "already_doctor"
    sentence = _("This account belongs to a doctor of the portal already.")


class AlreadyHere(Conflict):
    code = "already_here"
    sentence = _("This doctor practises at this clinic already.")


class OwnLicence(Conflict):
    code = "own_licence"
    sentence = _("You cannot verify your own licence. Ask another admin.")


class NotFailed(Conflict):
    code = "not_failed"
    sentence = _("Only a failed task can be tried again.")
