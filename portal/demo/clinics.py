"""The clinics of the demo network and what can be booked there. Invented places at true coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WORKDAYS = ("sun", "mon", "tue", "wed", "thu")


@dataclass(frozen=True)
class ClinicData:
    """A clinic; `types` are the keys of TYPES that it gives, `saturday` whether it is open on that day too."""

    key: str
    name: str
    address: str
    city: str
    region: str
    postcode: str
    latitude: float
    longitude: float
    phone: str
    types: tuple[str, ...]
    saturday: bool = False

    @property
    def opening_hours(self) -> dict[str, list[tuple[str, str]]]:
        hours = {day: [("08:00", "18:00")] for day in WORKDAYS}
        return hours | ({"sat": [("08:30", "13:00")]} if self.saturday else {})


BASIC = ("consultation", "follow_up", "video")
CLINICS = (
    ClinicData("el-djazair", "Clinique El Djazaïr", "118 rue Didouche Mourad", "Algiers", "Algiers", "16000",
               36.7638, 3.0478, "+213 21 63 10 20", (*BASIC, "first", "group"), saturday=True),
    ClinicData("les-pins", "Centre Médical Les Pins", "9 chemin du Val d'Hydra", "Algiers", "Algiers", "16035",
               36.7447, 3.0419, "+213 21 48 33 70", (*BASIC, "vaccination")),
    ClinicData("front-de-mer", "Clinique du Front de Mer", "41 boulevard de l’ALN", "Oran", "Oran", "31000",
               35.7059, -0.6433, "+213 41 39 52 18", (*BASIC, "first", "group"), saturday=True),
    ClinicData("cirta", "Polyclinique Cirta", "27 avenue Aouati Mostefa", "Constantine", "Constantine", "25000",
               36.3626, 6.6083, "+213 31 92 44 05", (*BASIC, "first")),
    ClinicData("seybouse", "Clinique Seybouse", "14 cours de la Révolution", "Annaba", "Annaba", "23000",
               36.9012, 7.7561, "+213 38 86 21 90", (*BASIC, "vaccination")),
    ClinicData("lalla-setti", "Clinique Lalla Setti", "6 boulevard Gaouar Hocine", "Tlemcen", "Tlemcen", "13000",
               34.8821, -1.3167, "+213 43 27 60 12", BASIC),
    ClinicData("ain-fouara", "Clinique Aïn El Fouara", "33 avenue du 8 Mai 1945", "Sétif", "Sétif", "19000",
               36.1900, 5.4107, "+213 36 84 15 66", (*BASIC, "vaccination"), saturday=True),
    ClinicData("ksar", "Centre de Santé Ksar Ouargla", "2 rue Larbi Ben M'hidi", "Ouargla", "Ouargla", "30000",
               31.9527, 5.3335, "+213 29 71 08 43", BASIC),
)  # fmt: skip

# What clinics give: a VisitType's values. A price of None is the doctor's own fee.
TYPES: dict[str, dict[str, Any]] = {
    "consultation": {
        "name": "Consultation", "name_fr": "Consultation", "name_ar": "استشارة طبية",
        "duration": 30, "price_minor": None,
    },
    "follow_up": {
        "name": "Follow-up visit", "name_fr": "Consultation de contrôle", "name_ar": "زيارة متابعة",
        "duration": 15, "price_minor": 120_000, "cutoff_minutes": 12 * 60,
    },
    "video": {
        "name": "Video follow-up", "name_fr": "Suivi en vidéo", "name_ar": "متابعة عبر الفيديو",
        "duration": 15, "price_minor": 150_000, "mode": "video", "confirms": "by_doctor", "cutoff_minutes": 4 * 60,
    },
    "first": {
        "name": "First visit", "name_fr": "Première consultation", "name_ar": "الزيارة الأولى",
        "duration": 45, "price_minor": 350_000, "confirms": "by_doctor", "buffer_after": 5, "most_upcoming": 1,
    },
    "vaccination": {
        "name": "Vaccination", "name_fr": "Vaccination", "name_ar": "تلقيح",
        "duration": 15, "price_minor": 80_000, "lead_minutes": 60,
    },
    "group": {
        "name": "Diabetes education group", "name_fr": "Groupe d’éducation au diabète",
        "name_ar": "مجموعة التثقيف حول السكري", "duration": 60, "price_minor": 50_000, "most_moves": 1,
    },
}  # fmt: skip
