"""Books the next free visit with a cardiologist, tells what is heard of it, and calls it off again.

python docs/examples/book_a_visit.py http://127.0.0.1:8000 yacine@demo.dz 'Algeria123!'
"""

import sys

from portal_client import Portal, PortalError


def main(url: str, email: str, password: str) -> None:
    portal = Portal(url)
    portal.sign_in(email, password, label="Example", code=lambda: input("Code: "))
    doctor = next(one for one in portal.doctors(specialty="cardiology") if one["practices"])
    practice = doctor["practices"][0]
    kind = portal.visit_types(practice["id"])[0]
    slot = portal.slots(doctor["id"], practice["id"], kind["id"])[-1]
    try:
        visit = portal.book(slot, reason="Check-up", hold=portal.hold(slot))
    except PortalError as no:
        sys.exit(f"{no.detail} {' '.join(no.alternatives[:3])}")
    print(f"{visit['reference']}: {visit['doctor']['name']}, {visit['starts_at']}")
    print(portal.cancel(visit, "mistake")["status"])


if __name__ == "__main__":
    main(*sys.argv[1:4])
