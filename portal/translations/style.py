"""What a program can see of the style guides (docs/FRENCH.md, docs/ARABIC.md): one table of rules for each language.

A rule is a pattern that no translation may hold, and what to write instead. To add one, add a row; a sentence that has
a good reason to break it is named in `but` by its English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` does not stand in a translation, for `why`; `but` are the English sentences that may."""

    pattern: re.Pattern[str]
    why: str
    but: frozenset[str] = frozenset()


def _rule(pattern: str, why: str, *but: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), why, frozenset(but))


_PERSON = r"%\((?:name|patient|doctor|carer|other)\)s"
_UNIT = r"(?:jour|heure|minute|mois|an|année|fois|semaine|seconde|caractère|km|h|min)s?\b"

RULES: dict[str, tuple[Rule, ...]] = {
    "fr": (
        _rule(r" (?=[:;?!»])|« | »", "a no-break space (U+00A0) before : ; ? ! » and after «"),
        _rule(r"[«][^\u00a0]|[^\u00a0»]»", "a no-break space inside « »"),
        _rule(r"(?<=\w)'(?=\w)", "the apostrophe is ’"),
        _rule(r'\.\.\.|"', "… and « »"),
        _rule(rf"(?:\d|\)s) {_UNIT}", "a no-break space between a number and its unit"),
        _rule(r"\w\((?:s|e|es|x)\)", "a plural form, or a noun instead of both sexes", "born %(date)s"),
        _rule(r"·", "no midpoint in words: screen readers say it"),
        _rule(rf"(?:^|[.:;] ?){_PERSON} (?:est|était|sera|a été) \w+(?:[éiu]|is|it)e?\b",
              "a noun or an active verb: the sex of whoever is named is not known",
              "%(name)s was ended: it can do nothing here."),
        _rule(r"\b(?:de|du|à|au|chez) %\((?:clinic|place)\)s", "brackets, a dash or a colon before a clinic's name"),
        _rule(r"\bchez %\(", "“chez” needs an article before most names"),
        _rule(r"\bvous (?:êtes|avez été|étiez) (?!ici)\w+[éiu]s?\b", "the reader's sex is not known"),
        # one word for one thing: the glossary
        _rule(r"\bvisites?\b", "rendez-vous, or consultation while it takes place", "New here?"),
        _rule(r"types? de (?:rendez-vous|visites?)", "type de consultation"),
        _rule(r"\bheures? libres?\b|prochain créneau libre", "créneau libre, premier créneau libre"),
        _rule(r"seconds? facteurs?", "double authentification"),
        _rule(r"\bprogrammes?\b|\blogiciels?\b", "application"),
        _rule(r"\bcalendriers?\b", "agenda"),
        _rule(r"\b(?:courriel|mails?)\b(?<!e-mail)(?<!e-mails)", "e-mail"),
        _rule(r"\blettres?\b(?! et chiffres)", "e-mail",
              "Nobody at your clinics matches. Try fewer letters, or the birth date.",
              "Try fewer letters or another filter.", "Try fewer letters."),
        _rule(r"heures de silence", "heures calmes"),
        _rule(r"jours fermés", "jours de fermeture"),
        _rule(r"médecins? reçoi|\breçoi(?:t|vent) (?:plus |encore |pas )?(?:ici|ce jour|cette|nulle|dans)",
              "consulter"),
        _rule(r"\badmis\b|\badmettre\b", "autoriser"),
        _rule(r"\bsortes? de\b", "type de"),
        _rule(r"\blivrée?s?\b", "remis"),
        _rule(r"annulée?s? tard\b", "annulé tardivement"),
        _rule(r"\bessais?\b", "tentative"),
        _rule(r"non honoré(?!s)|manqué à", "patient absent; of figures: rendez-vous non honorés"),
        _rule(r"\bgens\b", "personnes, personnel"),
        _rule(r"\bDocteur\b", "Dr before a name, le médecin without one"),
        _rule(r"\bveuillez\b.*\bveuillez\b", "one “veuillez” in a text"),
    ),
    "ar": (
        _rule(r"[\u0600-\u06ff][,;?]|[,;?] ?[\u0600-\u06ff]", "، ؛ ؟"),
        _rule(r"[\u0660-\u0669\u06f0-\u06f9]", "digits are 0–9"),
        _rule(r"« | »", "no space inside « »"),
        _rule(r"اً", "tanwin on the letter before the alif"),
        _rule(r"(?<![لب])ـ", "no tatweel but in لـ and بـ before a value"),
        _rule(r"^[A-Za-z].*[\u0600-\u06ff]", "no Latin word first: programs would set the line from left to right"),
        _rule(r"\.\.\.|!|[“”\"]", "… and « », no exclamation mark"),
        _rule(r"[\u0600-\u06ff]{2} :", "no space before a colon"),
        _rule(rf"(?:^|[.:؛] ?)س?ي\w+ {_PERSON}", "a noun: the sex of whoever is named is not known"),
        _rule(r"هل ستحضر|(?<!ال)تفضّل|أنت المعني", "a form for men and women alike"),
        _rule(r"(?:^|[ .:،])(?:أدخل|اضغط|انقر|امسح|انظر|اكتب|اختر|افتح|احتفظ|استخدم|أضف|اطلب|اسمح|اقرأ|استمع)(?![\w])",
              "يُرجى and a noun instead of an imperative"),
        _rule(r"عزيز(?:ي|تي)\b|سيادتكم", "no titles for the reader"),
        # one word for one thing: the glossary
        _rule(r"استعم|[يت]ُ?ستعمل|مستعمل", "استخدام"),
        _rule(r"\bبدون\b|أونلاين", "دون، عبر الإنترنت"),
        _rule(r"على الساعة|من طرف|لفائدة", "الساعة، بواسطة، باسم"),
        _rule(r"عند (?:ال)?طبيب", "لدى الطبيب"),
        _rule(r"عامل(?:ًا)? ثان|العامل الثاني", "التحقق بخطوتين"),
        _rule(r"إرسالات", "عمليات الإرسال"),
        _rule(r"تسعير", "سعر الاستشارة"),
        _rule(r"مصير|أُفرج|يُفرج|يُبتّ|نودي|نادى", "قرار، يعود متاحًا، تمت المناداة"),
        _rule(r"اعتناء|[يت]عتني|في المئة", "متابعة المواعيد، بالمائة"),
        _rule(r"حجز زائد|الحجز فوق|غرف", "موعد متداخل، الحجز رغم التعارض، قاعات"),
        _rule(r"(?<!\w)سجل ال", "سجلّ with its shadda"),
        _rule(r"\bDr\b|\bPr\b", "د. and أ.د."),
    ),
}  # fmt: skip


def faults(language: str, english: str, forms: Iterable[str]) -> Iterator[str]:
    """What to write instead, for each rule that a translation's forms break."""
    for rule in RULES.get(language, ()):
        found = next((hit for form in forms if (hit := rule.pattern.search(form))), None)
        if found and english not in rule.but:
            yield f"{rule.why} (“{found[0]}”): {english}"
