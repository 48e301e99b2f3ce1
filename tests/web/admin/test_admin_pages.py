"""The back office: who gets in, what the lists show, and what its forms do."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from portal.core.actor import NOBODY
from portal.core.db import keep, session
from portal.core.tasks import Task
from portal.domain.access import people
from portal.domain.clinics import invitations, members
from portal.domain.clinics.models import Clinic, Membership
from portal.domain.doctors import joining, profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity.models import User
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import VisitType
from tests.builders import HTMX, at, make_specialty, make_user, working_day

MOST_STATEMENTS = 12
BOTH = ["/admin/users", "/admin/users/invite", "/admin/clinics", "/admin/doctors", "/admin/doctors/new", "/admin/audit"]
SUPER = ["/admin/tasks", "/admin/clinics/new"]
CLINIC = {
    "name": "Clinique Étoile",
    "address": "1 rue Larbi",
    "city": "Béjaïa",
    "time_zone": "Africa/Algiers",
    "currency": "DZD",
}


@pytest.mark.parametrize("path", [*BOTH, *SUPER])
def test_the_back_office_is_for_admins(client: Any, nadia: Any, dr_benali: Any, amina: Any, path: str) -> None:
    assert client.get(path).status_code == 303
    for person in (nadia, dr_benali, amina):
        assert client.sign_in(person).get(path).status_code == 403


@pytest.mark.parametrize("path", [*BOTH, *SUPER])
def test_a_superadmin_gets_in_everywhere(client: Any, superadmin: Any, el_djazair: Any, path: str) -> None:
    assert client.sign_in(superadmin).get(path).status_code == 200


@pytest.mark.parametrize("path", BOTH)
def test_a_clinics_admin_gets_into_what_scopes_itself(client: Any, admin: Any, path: str) -> None:
    assert client.sign_in(admin).get(path).status_code == 200


def test_tasks_and_exports_are_not_for_a_clinics_admin(client: Any, admin: Any) -> None:
    client.sign_in(admin)
    assert client.get("/admin/tasks").status_code == 403
    assert client.post("/admin/audit/export").status_code == 403
    assert client.post("/admin/clinics/new", data=CLINIC).status_code == 403


def test_users_are_searched_and_the_list_alone_answers_htmx(
    client: Any, superadmin: Any, amina: Any, kamel: Any
) -> None:
    client.sign_in(superadmin)
    answer = client.search("/admin/users", "amina", role="patient", headers=HTMX)
    assert answer.text.lstrip().startswith('<div id="found"')
    assert "amina@example.dz" in answer.text
    assert "kamel@example.dz" not in answer.text
    assert client.get("/admin/users?clinic=nonsense").status_code == 404
    assert client.get("/admin/users?after=nonsense").status_code == 422
    assert client.get("/admin/users?_external=1&endpoint=x&status=5").status_code == 200


def test_an_account_is_shut_and_opened_again(client: Any, new_client: Any, superadmin: Any, amina: Any) -> None:
    hers = new_client().sign_in(amina)
    client.sign_in(superadmin)
    assert client.post(f"/admin/users/{amina.user_id}/deactivate").status_code == 303
    assert hers.get("/patient/home").status_code != 200
    assert "Deactivated" in client.get(f"/admin/users/{amina.user_id}").text
    assert client.post(f"/admin/users/{amina.user_id}/reactivate").status_code == 303
    assert session().get_one(User, amina.user_id).is_active


def test_nobody_shuts_the_own_account(client: Any, superadmin: Any) -> None:
    answer = client.sign_in(superadmin).post(f"/admin/users/{superadmin.user_id}/deactivate")
    assert answer.status_code == 409
    assert "You cannot deactivate your own account." in answer.text


def test_a_clinics_admin_shuts_no_account(client: Any, admin: Any, nadia: Any, kamel: Any) -> None:
    client.sign_in(admin)
    assert client.post(f"/admin/users/{nadia.user_id}/deactivate").status_code == 403
    assert client.post(f"/admin/users/{kamel.user_id}/deactivate").status_code == 404


def test_somebody_is_invited_and_their_role_ended(client: Any, admin: Any, el_djazair: Any, mailbox: Any) -> None:
    client.sign_in(admin)
    said = {
        "clinic": str(el_djazair.clinic_id),
        "role": "staff",
        "given_name": "Salima",
        "family_name": "H",
        "email": "salima@example.dz",
        "locale": "fr",
    }
    answer = client.post("/admin/users/invite", data=said)
    assert answer.location == f"/admin/clinics/{el_djazair.slug}#invitations"
    assert mailbox.link("salima@example.dz")
    assert client.post("/admin/users/invite", data=said).status_code == 409
    assert client.post("/admin/users/invite", data={**said, "email": "nobody"}).status_code == 422
    (asked,) = invitations.of_clinic(admin.actor, el_djazair.clinic_id)
    page = client.get(f"/admin/clinics/{el_djazair.slug}").text
    assert "salima@example.dz" in page and "Salima H" in page and "Waits for an answer" in page
    assert client.post(f"/admin/invitations/{asked.id}/send").location == answer.location
    assert len(mailbox.to("salima@example.dz")) == 2
    token = mailbox.link("salima@example.dz").rpartition("/")[2]
    joining.accept_new(NOBODY, token, given_name="Salima", family_name="Haddad", password="seven green boats")
    assert "Salima Haddad" in client.get(f"/admin/clinics/{el_djazair.slug}").text
    made = session().query(Membership).join(Membership.user).filter(User.email == "salima@example.dz").one()
    assert client.post(f"/admin/memberships/{made.id}/end?back=clinic").location == f"/admin/clinics/{el_djazair.slug}"
    assert people.get(admin.actor, admin.user_id)


def test_an_invitation_is_withdrawn_by_its_own_clinic(
    client: Any, admin: Any, superadmin: Any, el_djazair: Any, wahran: Any, mailbox: Any
) -> None:
    said = {"email": "salima@example.dz", "given_name": "Salima", "family_name": "H", "role": "staff"}
    own = members.invite(admin.actor, el_djazair.clinic_id, **said)
    other = members.invite(superadmin.actor, wahran.clinic_id, **said)
    client.sign_in(admin)
    for step in ("send", "withdraw"):
        assert client.post(f"/admin/invitations/{other.id}/{step}").status_code == 404
    assert client.post(f"/admin/invitations/{own.id}/withdraw").status_code == 303
    assert client.post(f"/admin/invitations/{own.id}/send").status_code == 410
    assert "salima@example.dz" not in client.get(f"/admin/clinics/{el_djazair.slug}").text


def test_a_role_that_may_not_be_given_here_is_refused(client: Any, admin: Any, el_djazair: Any, wahran: Any) -> None:
    client.sign_in(admin)
    said = {
        "clinic": str(el_djazair.clinic_id),
        "given_name": "S",
        "family_name": "H",
        "email": "s@example.dz",
        "locale": "en",
    }
    assert client.post("/admin/users/invite", data={**said, "role": "superadmin"}).status_code == 422
    assert (
        client.post("/admin/users/invite", data={**said, "role": "staff", "clinic": str(wahran.clinic_id)}).status_code
        == 404
    )


def test_a_clinic_is_added_changed_closed_and_opened(client: Any, superadmin: Any) -> None:
    client.sign_in(superadmin)
    answer = client.post("/admin/clinics/new", data={**CLINIC, "sun": "08:00-12:00"})
    assert answer.location == "/admin/clinics/clinique-etoile"
    assert "08:00 – 12:00" in client.get("/admin/clinics/clinique-etoile").text
    assert 'value="08:00-12:00"' in client.get("/admin/clinics/clinique-etoile/edit").text
    assert client.post("/admin/clinics/clinique-etoile/edit", data={**CLINIC, "city": "Jijel"}).status_code == 303
    for way, active in (("deactivate", False), ("reactivate", True)):
        assert client.post(f"/admin/clinics/clinique-etoile/{way}").status_code == 303
        found = session().query(Clinic).filter_by(slug="clinique-etoile").one()
        assert (found.is_active, found.city) == (active, "Jijel")


def test_a_clinic_that_cannot_be_comes_back_with_what_was_typed(client: Any, superadmin: Any) -> None:
    answer = client.sign_in(superadmin).post("/admin/clinics/new", data={**CLINIC, "phone": "12", "mon": "8 to 12"})
    assert answer.status_code == 422
    assert 'value="8 to 12"' in answer.text
    assert "Please write hours such as" in answer.text


def test_another_clinic_does_not_exist_for_an_admin(client: Any, admin: Any, wahran: Any, dr_haddad: Any) -> None:
    client.sign_in(admin)
    for path in (
        f"/admin/clinics/{wahran.slug}",
        f"/admin/clinics/{wahran.slug}/edit",
        f"/admin/visit-types/{wahran.consultation_id}",
        f"/admin/clinics/{wahran.slug}/visit-types/new",
        f"/admin/doctors/{dr_haddad.slug}",
        f"/admin/users/{dr_haddad.user_id}",
    ):
        assert client.get(path).status_code == 404, path
    for path in (
        f"/admin/clinics/{wahran.slug}/holidays",
        f"/admin/doctors/{dr_haddad.slug}/verify",
        f"/admin/doctors/{dr_haddad.slug}/withdraw",
        f"/admin/practices/{dr_haddad.practice_id}/end",
    ):
        assert client.post(path, data={"day": "2031-07-05", "name": "X"}).status_code == 404, path


def test_a_visit_type_is_added_and_changed_with_its_price(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    said = {
        "name": "ECG",
        "mode": "in_person",
        "duration": "20",
        "buffer_before": "0",
        "buffer_after": "5",
        "price": "1 200,50",
        "bookable_by": "anyone",
        "confirms": "at_once",
        "lead_minutes": "60",
        "horizon_days": "30",
        "cutoff_minutes": "60",
        "most_moves": "1",
        "most_upcoming": "2",
        "most_per_day": "",
        "is_active": "y",
    }
    url = f"/admin/clinics/{el_djazair.slug}/visit-types/new"
    assert client.post(url, data=said).status_code == 303
    made = session().query(VisitType).filter_by(name="ECG").one()
    assert (made.price_minor, made.buffer_after, made.most_per_day, made.is_active) == (120_050, 5, None, True)
    page = client.get(f"/admin/visit-types/{made.id}").text
    assert 'value="1200.50"' in page
    assert "checked" in page
    assert client.post(url, data=said).status_code == 422
    wrong = client.post(f"/admin/visit-types/{made.id}", data={**said, "price": "a lot"})
    assert wrong.status_code == 422
    assert "Please write an amount in DZD" in wrong.text
    del said["is_active"]
    assert client.post(f"/admin/visit-types/{made.id}", data={**said, "price": ""}).status_code == 303
    session().refresh(made)
    assert (made.price_minor, made.is_active) == (None, False)


def test_a_holiday_over_visits_is_decided_about_first(
    client: Any, admin: Any, el_djazair: Any, amina: Any, dr_benali: Any
) -> None:
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    client.sign_in(admin)
    url, said = f"/admin/clinics/{el_djazair.slug}/holidays", {"day": str(working_day()), "name": "Eid"}
    answer = client.post(url, data=said)
    assert answer.location.startswith("/changes/")
    assert "Amina Boudiaf" in client.get(answer.location).text
    quiet = client.post(url, data={**said, "day": str(working_day() + timedelta(days=60))})
    assert quiet.location == f"/admin/clinics/{el_djazair.slug}/closures"
    assert "Eid" in client.get(f"/admin/clinics/{el_djazair.slug}").text
    assert client.post(url, data={"name": ""}).status_code == 422


def test_a_doctor_is_added_verified_and_changed(client: Any, admin: Any, el_djazair: Any) -> None:
    make_specialty()
    keep()
    client.sign_in(admin)
    said = {
        "clinic_id": str(el_djazair.clinic_id),
        "price": "3000",
        "email": "",
        "locale": "fr",
        "title": "Dr",
        "given_name": "Rym",
        "family_name": "Cherif",
        "gender": "female",
        "licence_number": "DZ-9",
        "specialties": ["cardiology"],
        "languages": ["ar", "fr"],
    }
    answer = client.post("/admin/doctors/new", data=said)
    assert answer.location == "/admin/doctors/dr-rym-cherif"
    assert "To verify" in client.get("/admin/doctors?licence=open", headers=HTMX).text
    assert client.post("/admin/doctors/dr-rym-cherif/verify").status_code == 303
    made = session().query(Doctor).filter_by(slug="dr-rym-cherif").one()
    assert made.is_public
    assert session().query(Practice).filter_by(doctor_id=made.id).one().fee_minor == 300_000
    assert client.post("/admin/doctors/dr-rym-cherif/edit", data={**said, "biography": "Kind."}).status_code == 303
    assert "Kind." in client.get("/admin/doctors/dr-rym-cherif").text
    assert client.post("/admin/doctors/new", data=said).status_code == 422
    nothing = client.post("/admin/doctors/new", data={**said, "specialties": []})
    assert "Please choose at least one." in nothing.text
    assert client.post("/admin/doctors/dr-rym-cherif/withdraw").status_code == 303
    session().refresh(made)
    assert not made.is_public


def test_a_profile_without_account_is_offered_to_an_address(
    client: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    session().get_one(Doctor, dr_benali.doctor_id).user_id = None
    keep()
    client.sign_in(admin)
    url = f"/admin/doctors/{dr_benali.slug}"
    said = {"clinic_id": str(el_djazair.clinic_id), "email": "nonsense", "locale": "fr"}
    assert "Ask the doctor to sign in" in client.get(url).text
    assert 'value="nonsense"' in client.post(f"{url}/account", data=said).text
    assert client.post(f"{url}/account", data=said | {"email": "rym@example.dz"}).location == url
    page = client.get(url).text
    assert "rym@example.dz" in page and "Ask the doctor to sign in" not in page
    assert client.post(f"{url}/account", data=said | {"email": "other@example.dz"}).status_code == 409


def test_a_change_of_what_was_verified_is_confirmed_or_refused(
    client: Any, new_client: Any, admin: Any, dr_benali: Any
) -> None:
    url, public = f"/admin/doctors/{dr_benali.slug}", f"/doctors/{dr_benali.slug}"
    doctor = new_client().sign_in(dr_benali)
    said = {
        "title": "Dr", "given_name": "Samira", "family_name": "Bénali-Kaci", "gender": "female",
        "licence_number": session().get_one(Doctor, dr_benali.doctor_id).licence_number,
        "specialties": ["cardiology"],
    }  # fmt: skip
    client.sign_in(admin)

    def propose(name: str) -> str:
        assert doctor.post("/doctor/profile", data=said | {"family_name": name}).status_code == 303
        page = doctor.get("/doctor/profile").text
        assert "A change waits" in page and f'value="{name}"' in page
        waiting = profiles.get(admin.actor, dr_benali.slug).amendment
        assert waiting
        return f"/admin/amendments/{waiting.id}"

    first = propose("Of the palace")
    assert "A change waits" in client.get("/admin/doctors?licence=open", headers=HTMX).text
    assert "Of the palace" in client.get(url).text and "Of the palace" not in client.get(public).text
    assert "as before" in client.get(url).text, "the specialties are the same"
    assert client.post(f"{first}/reject").location == url
    assert "was refused" in doctor.get("/doctor/profile").text
    assert client.post(f"{first}/confirm").status_code == 409
    assert doctor.post(first.replace("admin", "doctor/profile", 1) + "/withdraw").location == "/doctor/profile"
    second = propose("Bénali-Kaci")
    assert client.post(f"{first}/confirm").status_code == 404
    assert client.post(f"{second}/confirm").location == url
    assert "Bénali-Kaci" in client.get(public).text
    assert client.post(f"{second}/nonsense").status_code == 404


def test_a_licence_is_verified_as_it_was_shown(client: Any, admin: Any, dr_benali: Any) -> None:
    session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at = None
    keep()
    client.sign_in(admin)
    url = f"/admin/doctors/{dr_benali.slug}"
    seen = profiles.mark_of(profiles.get(admin.actor, dr_benali.slug))
    assert seen in client.get(url).text
    session().get_one(Doctor, dr_benali.doctor_id).family_name = "Other"
    keep()
    assert client.post(f"{url}/verify", data={"seen": seen}).status_code == 409


def test_a_doctor_is_asked_to_join_a_clinic_and_leaves_one(
    client: Any, superadmin: Any, dr_haddad: Any, el_djazair: Any
) -> None:
    client.sign_in(superadmin)
    said = {"clinic_id": str(el_djazair.clinic_id), "price": "2000"}
    answer = client.post(f"/admin/doctors/{dr_haddad.slug}/practices", data=said)
    assert answer.location == f"/admin/clinics/{el_djazair.slug}#invitations"
    assert "Waits for an answer" in client.get(f"/admin/doctors/{dr_haddad.slug}").text
    assert client.post(f"/admin/doctors/{dr_haddad.slug}/practices", data=said).status_code == 409
    assert client.post(f"/admin/practices/{dr_haddad.practice_id}/end").status_code == 303
    assert session().get_one(Practice, dr_haddad.practice_id).is_active is False


def test_a_failed_task_shows_its_error_and_is_tried_again(client: Any, superadmin: Any) -> None:
    failed = Task(name="notifications.delivery.deliver", state="failed", attempts=6, last_error="Boom: <tag>")
    session().add(failed)
    keep()
    client.sign_in(superadmin)
    page = client.get("/admin/tasks?state=failed").text
    assert "Boom: &lt;tag&gt;" in page
    assert (
        client.post(f"/admin/tasks/{failed.id}/retry", data={"state": "failed"}).location == "/admin/tasks?state=failed"
    )
    session().refresh(failed)
    assert failed.state == "waiting"
    assert client.post(f"/admin/tasks/{failed.id}/retry").status_code == 409
    assert client.get("/admin/tasks?state=lost").status_code == 422


def test_the_audit_is_filtered_and_exported(
    client: Any, superadmin: Any, amina: Any, el_djazair: Any, dr_benali: Any
) -> None:
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    client.sign_in(superadmin)
    page = client.get(f"/admin/audit?actor_id={amina.user_id}", headers=HTMX).text
    assert "appointment.booked" in page
    assert "Amina Boudiaf" in page
    answer = client.post("/admin/audit/export", data={"name": "appointment."})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert [row["name"] for row in csv.DictReader(StringIO(answer.text))] == ["appointment.booked"]
    assert client.get("/admin/audit?first=soon").status_code == 422


@pytest.mark.parametrize("path", ["/admin/users", "/admin/clinics", "/admin/doctors", "/admin/tasks", "/admin/audit"])
def test_a_list_asks_the_database_a_fixed_number_of_times(
    client: Any, superadmin: Any, dr_benali: Any, dr_haddad: Any, statements: Any, path: str
) -> None:
    client.sign_in(superadmin)
    with statements() as count:
        client.get(path)
    few = count()
    for _ in range(5):
        make_user()
    keep()
    with statements() as count:
        client.get(path)
    assert few == count() <= MOST_STATEMENTS


def test_the_clinics_page_asks_the_database_a_fixed_number_of_times(
    client: Any, superadmin: Any, el_djazair: Any, dr_benali: Any, nadia: Any, statements: Any
) -> None:
    client.sign_in(superadmin)
    with statements() as count:
        client.get(f"/admin/clinics/{el_djazair.slug}")
    assert count() <= MOST_STATEMENTS
