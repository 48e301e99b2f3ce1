"""The patients, front desks and administrators of the demo network: invented people."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from portal.core.names import slug

PASSWORD = "Algeria123!"  # of every account; the sign-in page says so in demo mode only
WITH_ACCOUNT, WITHOUT_ACCOUNT = 62, 70  # the others are known to a front desk only

WOMEN = ("Amina", "Lina",
          "Sarah", "Meriem", "Nour", "Yasmine", "Khadija", "Rania", "Imene", "Selma", "Fella", "Djamila",
         "Zohra", "Hanane", "Sihem", "Wafa", "Nawal", "Kahina", "Tassadit", "Chahinez", "Ikram", "Malika")  # fmt: skip
MEN = ("Yacine", "Mehdi", "Bilal", "Riad", "Amine", "Sami", "Ilyes", "Ali", "Mustapha", "Lotfi", "Nassim", "Idir",
       "Hamza", "Ryad", "Fouad", "Salim", "Zinedine", "Massinissa", "Okba", "Toufik", "Djamel", "Larbi")  # fmt: skip
FAMILIES = (
    "Boudiaf", "Meziane", "Hamdi", "Ouali", "Brahimi", "Saadi", "Toumi", "Bensalem", "Guerfi", "Rahmani", "Lounis",
    "Kaddour", "Taleb", "Ziani", "Achour", "Belaïd", "Cherrad", "Daoud", "Ferroukhi", "Gacem", "Hadjadj", "Issad",
    "Kebir", "Lakhdari", "Mokrani", "Nedjar", "Ould Ali", "Rezki", "Slimani", "Touati", "Yahiaoui", "Zemmouri",
)  # fmt: skip
STREETS = ("rue Larbi Ben M'hidi",
           "rue Hassiba Ben Bouali", "boulevard Krim Belkacem", "cité des 500 Logements",
           "rue Abane Ramdane", "avenue de l'Indépendance", "lotissement El Bina", "rue des Frères Bouadou",
           )  # fmt: skip
CITIES = {"Algiers": 46, "Oran": 30, "Constantine": 18, "Annaba": 12, "Tlemcen": 10, "Sétif": 10, "Ouargla": 6}
BLOOD = ("O+", "A+", "B+", "O-", "AB+", "A-", None)
CONDITIONS = ("High blood pressure", "Type 2 diabetes", "Asthma", "Hypothyroidism", "Migraine", "High cholesterol")
ALLERGIES = (
    ("Penicillin", "Rash and swelling of the face", "severe"), ("Peanuts", "Shortness of breath", "severe"),
    ("Pollen of olive trees", "Running nose, itching eyes", "mild"), ("Aspirin", "Wheezing", "moderate"),
    ("Latex", "Itching hands", "mild"), ("Shellfish", "Hives", "moderate"), ("Iodine contrast", "Hives", "moderate"),
)  # fmt: skip


@dataclass(frozen=True)
class PatientData:
    """Somebody who is cared for; without an e-mail they have no account."""

    given: str
    family: str
    sex: str
    email: str
    born: date
    city: str
    address: str
    phone: str
    blood_group: str | None
    conditions: tuple[str, ...]
    allergies: tuple[tuple[str, str, str], ...]
    locale: str
    contact: str


@dataclass(frozen=True)
class MemberData:
    """Somebody who works in a clinic, in one role; a clinic of "*" is every clinic."""

    given: str
    family: str
    email: str
    role: str
    clinic: str


MEMBERS = (
    MemberData("Nadia", "Slimani", "desk@demo.dz", "staff", "el-djazair"),
    MemberData("Kamel", "Bouras", "desk.oran@demo.dz", "staff", "front-de-mer"),
    MemberData("Souad", "Hamlaoui", "desk.hydra@demo.dz", "staff", "les-pins"),
    MemberData("Ratiba", "Zouaoui", "desk.constantine@demo.dz", "staff", "cirta"),
    MemberData("Fares", "Benali", "desk.annaba@demo.dz", "staff", "seybouse"),
    MemberData("Hafida", "Sari", "desk.tlemcen@demo.dz", "staff", "lalla-setti"),
    MemberData("Mounir", "Khellaf", "desk.setif@demo.dz", "staff", "ain-fouara"),
    MemberData("Zineb", "Ouled", "desk.ouargla@demo.dz", "staff", "ksar"),
    MemberData("Farid", "Ouali", "admin@demo.dz", "admin", "el-djazair"),
    MemberData("Farid", "Ouali", "admin@demo.dz", "admin", "les-pins"),
    MemberData("Samia", "Bekkouche", "admin.oran@demo.dz", "admin", "front-de-mer"),
)
SUPERADMIN = ("Houria", "Kaci", "super@demo.dz")


def patients(dice: random.Random, today: date) -> list[PatientData]:
    """Always the same people for the same dice: first those named on the sign-in page, then the others."""
    named = [("Amina", "Boudiaf", "female", "Algiers"), ("Yacine", "Meziane", "male", "Oran")]
    found = [_patient(dice, today, *who, f"{who[0].lower()}@demo.dz") for who in named]
    taken = {(who.given, who.family) for who in found}
    cities = [city for city, count in CITIES.items() for _ in range(count)]
    dice.shuffle(cities)
    while len(found) < WITH_ACCOUNT + WITHOUT_ACCOUNT:
        sex = dice.choice(("female", "male"))
        given, family = dice.choice(WOMEN if sex == "female" else MEN), dice.choice(FAMILIES)
        if (given, family) in taken:
            continue
        taken.add((given, family))
        email = f"{slug(given)}.{slug(family)}@demo.dz" if len(found) < WITH_ACCOUNT else ""
        found.append(_patient(dice, today, given, family, sex, cities[len(found) % len(cities)], email))
    return found


def _patient(dice: random.Random, today: date, given: str, family: str, sex: str, city: str, email: str) -> PatientData:
    return PatientData(
        given=given,
        family=family,
        sex=sex,
        email=email,
        born=date(today.year - _age(dice, email), dice.randint(1, 12), dice.randint(1, 28)),
        city=city,
        address=f"{dice.randint(1, 140)} {dice.choice(STREETS)}",
        phone=f"+213{dice.choice((5, 6, 7))}{dice.randint(10_000_000, 99_999_999)}",
        blood_group=dice.choice(BLOOD),
        conditions=tuple(dice.sample(CONDITIONS, dice.choice((0, 0, 0, 1, 1, 2)))),
        allergies=tuple(dice.sample(ALLERGIES, dice.choice((0, 0, 0, 1, 1, 2)))),
        locale=dice.choice(("fr", "fr", "ar", "ar", "en")) if email and "." in email.split("@")[0] else "en",
        contact=f"{dice.choice(WOMEN + MEN)} {family}",
    )


def _age(dice: random.Random, email: str) -> int:
    """Whoever has an account is grown up; among those whom only a desk knows many are children."""
    return dice.randint(1, 15) if not email and dice.random() < 0.5 else dice.randint(19, 82)
