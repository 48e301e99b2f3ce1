"""Every letter, in every language: a subject, a text, an HTML, the right links, nothing about health."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from portal import subscriptions  # noqa: F401 - every feature's notices
from portal.config import ROOT
from portal.core.text import LANGUAGES, speaking
from portal.domain.notifications import kinds
from portal.web.letters import renderer

KEY = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
LETTERS = {str(kind.letter) for kind in kinds.every() if kind.letter}
OF_VISITS = {name for name in LETTERS if name.startswith(("appointment_", "doctor_"))} | {"reminder"}  # tell its facts
NOTICES = sorted(path.stem for path in Path(ROOT / "templates" / "mail").glob("*.txt"))
ABOUT: dict[str, Any] = {
    "name": "Amina <b>Boudiaf</b>",
    "token": "the-token",
    "lifetime": timedelta(hours=24),
    "role": "staff",
    "asker": "Farid Ouali",
    "until": datetime(2030, 1, 13, 8, tzinfo=UTC),
    "place": "Clinique El Djazaïr",
    "at": datetime(2030, 1, 6, 8, tzinfo=UTC),
    "doctor": "Dr Samira Benali",
    "clinic": "Clinique El Djazaïr",
    "address": "1 rue Didouche",
    "city": "Algiers",
    "phone": "+213 21 00 00 00",
    "starts_at": datetime(2030, 1, 6, 8, tzinfo=UTC),
    "zone": "Africa/Algiers",
    "visit_type": "Consultation",
    "mode": "in_person",
    "reference": "ABC-123",
    "appointment_id": KEY,
    "moved_from": datetime(2030, 1, 5, 8, tzinfo=UTC),
    "reason_sentence": "The doctor is away.",
    "reason": "a secret illness",
}
MORE: dict[str, dict[str, Any]] = {  # what some letters say beside that
    "change_asked": {
        "visits": [
            {
                "was": datetime(2030, 1, 6, 8, tzinfo=UTC),
                "proposed": datetime(2030, 1, 7, 8, tzinfo=UTC),
                "zone": "Africa/Algiers",
                "doctor": "Dr Samira Benali",
                "visit_type": "Consultation",
                "other_doctor": None,
            }
        ],
        "until": datetime(2030, 1, 5, 8, tzinfo=UTC),
        "link": "/go/change.the-token",
    },
    "family_invitation": {"kind": "care", "sender": "Yacine", "patient": "Amina", "scopes": ["view", "book"]},
    "family_notice": {"what": "begun", "is_carer": True, "patient": "Amina", "carer": "Yacine"},
    "invitation_to_book": {
        "first": date(2030, 1, 6),
        "last": date(2030, 1, 20),
        "opens": None,
        "practice_id": KEY,
        "visit_type_id": KEY,
        "has_account": True,
    },
    "reminder": {"asks": True, "answer_link": "/go/attendance.the-token", "check_in_link": "/go/check_in.the-token"},
    "record_request": {"on_paper": True, "until": date(2030, 1, 20), "link": "/go/request.the-token"},
    "record_request_disputed": {"desk_link": f"/desk/requests/{KEY}"},
    "record_request_paper": {"link": f"/patient/requests/{KEY}"},
    "review_notice": {"what": "answered"},
    "sign_in_code": {"token": "the-key.12345678"},
    "second_factor": {"what": "taken_away", "ended": ["1 calendar address"], "had_calendar": True},
    "password_changed": {"ended": ["1 calendar address"], "had_calendar": True},
    "access_ended": {"why": "provider_linked", "ended": ["1 calendar address"], "had_calendar": True},
    "webhook_paused": {"is_gone": False, "endpoint_id": KEY},
    "series_booked": {"times": [datetime(2030, 1, 6, 8, tzinfo=UTC)], "pending": False, "has_account": True},
    "series_cancelled": {"times": [datetime(2030, 1, 6, 8, tzinfo=UTC)], "has_account": True},
    "waitlist_offered": {"expires_at": datetime(2030, 1, 5, 8, tzinfo=UTC), "link": "/go/waitlist.the-token"},
}
LINKS = {
    "record_request": "/go/request.the-token",
    "verify": "/account/verify/the-token",
    "already_registered": "/account/reset/the-token",
    "reset": "/account/reset/the-token",
    "invitation": "/account/invitation/the-token",
    "factor_help": "/account/second-factor-help/the-token",
    "password_changed": "/account/forgot",
    "second_factor": "/account/security",
    "sign_in_code": "/account/forgot",
    "access_ended": "/account/security",
    "change_asked": "/go/change.the-token",
    "family_invitation": "the-token",
    "family_notice": "/family",
    "reminder": "/go/attendance.the-token",
    "waitlist_offered": "/go/waitlist.the-token",
}
GREET_NOBODY = {"invitation"}  # whose address it is, nobody has shown
OURS = set(LINKS) - LETTERS  # letters of accounts, which are no notices


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]


def letter(app: Any, notice: str, language: str = "en", **more: Any) -> Any:
    with speaking(language):
        return renderer(app)(notice, ABOUT | MORE.get(notice, {}) | more)


def test_every_notice_has_both_forms() -> None:
    html = {path.stem for path in Path(ROOT / "templates" / "mail").glob("*.html")}
    assert html == set(NOTICES)
    assert html == OURS | LETTERS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", NOTICES)
def test_a_letter_is_whole(app: Any, notice: str, language: str) -> None:
    made = letter(app, notice, language)
    assert made.subject
    assert "\n" not in made.subject
    assert len(made.subject) < 80
    assert made.text.count("\n") >= 5
    assert "\n\n\n" not in made.text
    assert f'lang="{language}"' in made.html
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in made.html
    assert "secret illness" not in made.text + made.html
    assert "None" not in made.text
    assert "Undefined" not in made.text


@pytest.mark.parametrize("notice", NOTICES)
def test_a_letter_leads_where_it_should(app: Any, notice: str) -> None:
    made = letter(app, notice)
    seen = Seen(made.html)
    wanted = LINKS.get(notice) or str(KEY)
    first = next(part for part in made.text.split() if part.startswith("http"))
    assert first.startswith("http://localhost/")
    assert wanted in first
    assert any(wanted in link for link in seen.links)
    assert all(link.startswith("http://localhost") for link in seen.links), "nothing is loaded from anywhere"
    if notice in OF_VISITS - {"reminder"}:
        assert ("/doctor/" if notice.startswith("doctor_") else "/patient/") in first


@pytest.mark.parametrize("notice", NOTICES)
def test_a_name_cannot_bring_markup(app: Any, notice: str) -> None:
    made = letter(app, notice)
    assert not {"b", "script", "img", "iframe", "form"} & set(Seen(made.html).tags)
    assert ("Amina <b>Boudiaf</b>" in made.text) == (notice not in GREET_NOBODY)


@pytest.mark.parametrize(("language", "hello"), [("en", "Hello,"), ("fr", "Bonjour,"), ("ar", "مرحبًا،")])
@pytest.mark.parametrize("notice", NOTICES)
def test_a_letter_greets_nobody_whose_address_is_not_shown_to_be_theirs(
    app: Any, notice: str, language: str, hello: str
) -> None:
    made = letter(app, notice, language, name="")
    assert made.text.split("\n\n")[0].strip() == hello
    assert f">{hello}</p>" in made.html
    assert "Boudiaf" not in made.subject + made.text + made.html


@pytest.mark.parametrize("notice", sorted(OF_VISITS))
def test_a_visit_is_told_in_the_clinics_time(app: Any, notice: str) -> None:
    made = letter(app, notice)
    for part in (made.text, made.html):
        assert "09:00" in part
        assert "Algeria Time" in part
        assert "ABC-123" in part
        assert "1 rue Didouche" in part
    by_video = letter(app, notice, mode="video", phone="", moved_from=None, reason_sentence=None)
    assert "1 rue Didouche" not in by_video.text + by_video.html


@pytest.mark.parametrize("notice", ["appointment_declined", "appointment_cancelled", "doctor_cancelled"])
def test_a_reason_that_was_given_is_told(app: Any, notice: str) -> None:
    made = letter(app, notice)
    assert "The doctor is away." in made.text
    assert "The doctor is away." in made.html
    assert "None" not in letter(app, notice, reason_sentence=None).html
