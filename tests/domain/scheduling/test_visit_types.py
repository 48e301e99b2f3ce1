"""Visit types and their policy: kept by the clinic's admins alone."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.errors import Invalid, NotFound
from portal.domain.scheduling import visit_types

ECG = {"name": "ECG", "duration": 20}


def test_an_admin_adds_a_visit_type_with_its_policy(admin: Any, el_djazair: Any) -> None:
    kind = visit_types.add(admin.actor, el_djazair.clinic_id, **ECG, confirms="by_doctor", lead_minutes=60)
    assert (kind.name, kind.name_ar, kind.confirms, kind.lead_minutes, kind.is_active) == (
        "ECG",
        "",
        "by_doctor",
        60,
        True,
    )


def test_a_change_touches_what_was_said(admin: Any, el_djazair: Any) -> None:
    kind = visit_types.add(admin.actor, el_djazair.clinic_id, **ECG)
    changed = visit_types.change(admin.actor, kind.id, **ECG, price_minor=120_000, is_active=False)
    assert (changed.price_minor, changed.is_active) == (120_000, False)
    found = visit_types.of_clinic(admin.actor, el_djazair.clinic_id)
    assert found[-1].id == kind.id
    assert kind not in visit_types.active_at([el_djazair.clinic_id])


def test_two_visit_types_of_a_clinic_do_not_share_a_name(admin: Any, el_djazair: Any) -> None:
    visit_types.add(admin.actor, el_djazair.clinic_id, **ECG)
    with pytest.raises(Invalid) as no:
        visit_types.add(admin.actor, el_djazair.clinic_id, name="ecg", duration=30)
    assert "name" in no.value.fields
    other = visit_types.add(admin.actor, el_djazair.clinic_id, name="EEG", duration=30)
    with pytest.raises(Invalid):
        visit_types.change(admin.actor, other.id, **ECG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": 4},
        {"duration": 481},
        {"buffer_after": -1},
        {"mode": "letter"},
        {"horizon_days": 0},
        {"price_minor": -1},
    ],
)
def test_a_visit_type_that_cannot_be_is_refused(admin: Any, el_djazair: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        visit_types.add(admin.actor, el_djazair.clinic_id, **{**ECG, **wrong})


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "kamel", "amina"])
def test_nobody_but_the_clinics_admins_keeps_its_visit_types(request: Any, el_djazair: Any, who: str) -> None:
    actor = request.getfixturevalue(who).actor
    with pytest.raises(NotFound):
        visit_types.add(actor, el_djazair.clinic_id, **ECG)
    with pytest.raises(NotFound):
        visit_types.change(actor, el_djazair.consultation_id, **ECG)
    with pytest.raises(NotFound):
        visit_types.of_clinic(actor, el_djazair.clinic_id)
