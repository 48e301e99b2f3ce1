"""Allergies stand first where care happens: at the doctor's visit and on the desk's card."""

from __future__ import annotations

from typing import Any

from tests.domain.patients.test_family import booked
from tests.domain.scheduling.test_health import reacts, says


def test_allergies_stand_first_at_the_visit_and_on_the_card(
    client: Any, amina: Any, dr_benali: Any, nadia: Any, el_djazair: Any
) -> None:
    visit = booked(amina, dr_benali, el_djazair, amina.patient_id)
    pages = ((dr_benali, f"/doctor/appointments/{visit.id}"), (nadia, f"/desk/patients/{amina.patient_id}"))
    for reader, path in pages:
        assert "Allergies not asked about" in client.sign_in(reader).get(path).text
    says(amina, no_known_allergies=True)
    for reader, path in pages:
        assert "No known allergies" in client.sign_in(reader).get(path).text
    says(amina)
    reacts(amina, "Penicillin", "severe")
    for reader, path in pages:
        html = client.sign_in(reader).get(path).text
        main = html[html.index("<main") :]
        assert main.index("Penicillin") < main.index("card-title")
        assert "+213550654321" in main
        assert ("Asthma" in main) == ("O+" in main) == (reader is dr_benali)


def test_a_tick_beside_a_noted_allergy_is_refused_and_nothing_entered_is_lost(client: Any, amina: Any) -> None:
    reacts(amina, "Latex")
    told = {"no_known_allergies": "y", "sex": "female", "city": "Blida"}
    answer = client.sign_in(amina).post("/account/profile/details", data=told)
    assert answer.status_code == 422
    assert "Allergies are noted." in answer.text
    assert 'value="Blida"' in answer.text
