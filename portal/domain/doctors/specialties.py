"""The specialties a portal starts with, named in each of its languages."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.db import new_id, session
from portal.domain.doctors.models import Specialty

# code: English, French, Arabic
STANDARD: dict[str, tuple[str, str, str]] = {
    "general-medicine": ("General medicine", "Médecine générale", "الطب العام"),
    "allergology": ("Allergology", "Allergologie", "أمراض الحساسية"),
    "cardiology": ("Cardiology", "Cardiologie", "أمراض القلب"),
    "dentistry": ("Dentistry", "Médecine dentaire", "طب الأسنان"),
    "dermatology": ("Dermatology", "Dermatologie", "الأمراض الجلدية"),
    "endocrinology": ("Endocrinology and diabetes", "Endocrinologie et diabétologie", "الغدد الصماء والسكري"),
    "ent": ("Ear, nose and throat", "Oto-rhino-laryngologie", "أمراض الأذن والأنف والحنجرة"),
    "gastroenterology": ("Gastroenterology", "Gastro-entérologie", "أمراض الجهاز الهضمي"),
    "general-surgery": ("General surgery", "Chirurgie générale", "الجراحة العامة"),
    "geriatrics": ("Geriatrics", "Gériatrie", "طب الشيخوخة"),
    "gynaecology": ("Gynaecology and obstetrics", "Gynécologie-obstétrique", "أمراض النساء والتوليد"),
    "haematology": ("Haematology", "Hématologie", "أمراض الدم"),
    "infectious-diseases": ("Infectious diseases", "Infectiologie", "الأمراض المعدية"),
    "internal-medicine": ("Internal medicine", "Médecine interne", "الطب الباطني"),
    "nephrology": ("Nephrology", "Néphrologie", "أمراض الكلى"),
    "neurology": ("Neurology", "Neurologie", "أمراض الأعصاب"),
    "nutrition": ("Nutrition and dietetics", "Nutrition et diététique", "التغذية والحمية"),
    "oncology": ("Oncology", "Oncologie", "أمراض السرطان"),
    "ophthalmology": ("Ophthalmology", "Ophtalmologie", "طب العيون"),
    "orthopaedics": ("Orthopaedics", "Orthopédie-traumatologie", "جراحة العظام"),
    "paediatrics": ("Paediatrics", "Pédiatrie", "طب الأطفال"),
    "physiotherapy": (
        "Physiotherapy and rehabilitation",
        "Médecine physique et réadaptation",
        "العلاج الطبيعي وإعادة التأهيل",
    ),
    "psychiatry": ("Psychiatry", "Psychiatrie", "الطب النفسي"),
    "psychology": ("Psychology", "Psychologie", "علم النفس"),
    "pulmonology": ("Pulmonology", "Pneumologie", "أمراض الرئة"),
    "radiology": ("Radiology", "Radiologie", "الأشعة"),
    "rheumatology": ("Rheumatology", "Rhumatologie", "أمراض الروماتيزم"),
    "sports-medicine": ("Sports medicine", "Médecine du sport", "الطب الرياضي"),
    "urology": ("Urology", "Urologie", "المسالك البولية"),
}


def ensure_specialties() -> dict[str, Specialty]:
    """Every standard specialty, by code; those that are missing are made, those that are there stay as they are."""
    now = clock.now()
    rows = [
        {"id": new_id(), "created_at": now, "code": code, "name_en": en, "name_fr": fr, "name_ar": ar}
        for code, (en, fr, ar) in STANDARD.items()
    ]
    session().execute(insert(Specialty).values(rows).on_conflict_do_nothing(index_elements=["code"]))
    return {one.code: one for one in session().scalars(select(Specialty).where(Specialty.code.in_(STANDARD)))}
