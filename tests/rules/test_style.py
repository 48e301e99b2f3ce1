"""The rules of the style guides (docs/FRENCH.md, docs/ARABIC.md) that a program can see: each finds what it is for."""

from __future__ import annotations

import pytest

from portal.translations import catalogue, style

BROKEN = {
    "fr": (
        "Votre choix ?",
        "« Oui »",
        "l'heure",
        "Un instant...",
        "3 jours",
        "terminé(s)",
        "né·e",
        "%(name)s est inscrite",
        "les patients de %(clinic)s",
        "chez %(name)s",
        "Vous avez été déconnecté.",
        "Votre visite",
        "type de rendez-vous",
        "première heure libre",
        "second facteur",
        "un programme",
        "votre calendrier",
        "un mail",
        "une lettre",
        "heures de silence",
        "jours fermés",
        "Le médecin reçoit",
        "application admise ou admis",
        "une sorte de salle",
        "message livré",
        "annulé tard",
        "3 essais",
        "Non honoré",
        "les gens",
        "le docteur",
        "Veuillez lire et veuillez signer",
    ),
    "ar": (
        "أهلا, نعم",
        "٣ أيام",
        "« نعم »",
        "أولاً",
        "نعـم",
        "SMS إلى المريض",
        "نعم...",
        "نعم!",
        "نعم : لا",
        "يدعوك %(doctor)s",
        "هل ستحضر؟",
        "أدخل الرمز",
        "عزيزي المريض",
        "استعمال",
        "بدون موعد",
        "على الساعة %(time)s",
        "عند الطبيب",
        "العامل الثاني",
        "إرسالات",
        "التسعيرة",
        "مصير الموعد",
        "الاعتناء به",
        "حجز زائد",
        "سجل التدقيق",
        "موعد مع Dr Haddad",
    ),
}
SOUND = {
    "fr": (
        "Votre choix\u00a0?",
        "«\u00a0Oui\u00a0»",
        "l’heure",
        "e-mail",
        "3\u00a0jours",
        "dix lettres et chiffres",
        "Part des rendez-vous non honorés",
        "09:30 – 10:00",
        "Vous êtes ici",
    ),
    "ar": ("أهلا، نعم", "3 أيام", "«نعم»", "أولًا", "لـ %(name)s", "تمت إضافة %(name)s", "سجلّ التدقيق", "د. %(name)s"),
}


@pytest.mark.parametrize("language", sorted(style.RULES))
def test_each_rule_finds_what_it_is_for_and_nothing_else(language: str) -> None:
    idle = [rule.why for rule in style.RULES[language] if not any(map(rule.pattern.search, BROKEN[language]))]
    assert idle == []
    assert [said for said in BROKEN[language] if not list(style.faults(language, "", [said]))] == []
    assert list(style.faults(language, "", SOUND[language])) == []


@pytest.mark.parametrize("language", sorted(style.RULES))
def test_an_exception_names_a_sentence_that_still_needs_it(language: str) -> None:
    found: dict[str, list[str]] = {}
    for one in catalogue.read(language):
        found.setdefault(catalogue._key(one), []).extend(catalogue._forms(one))
    spare = [
        english
        for rule in style.RULES[language]
        for english in rule.but
        if not any(map(rule.pattern.search, found.get(english, ())))
    ]
    assert spare == []


def test_the_check_of_the_catalogues_holds_the_style() -> None:
    said = catalogue.read("fr").get("Leave the waitlist")
    assert said is not None and not list(style.faults("fr", "Leave the waitlist", catalogue._forms(said)))
    assert list(style.faults("fr", "Leave the waitlist", ["Quitter la liste !"])) == [
        "a no-break space (U+00A0) before : ; ? ! » and after « (“ ”): Leave the waitlist"
    ]
