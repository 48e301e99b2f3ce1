"""Addresses nobody has: refused with a sentence, whatever is written in them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/doctors/%00", "/clinics/a%00b", "/api/v1/%00", "/account/reset/%00", "/%00"])
def test_an_address_with_a_nul_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_neither_does_an_admin_find_it(client, superadmin):
    client.sign_in(superadmin)
    for path in ("/admin/clinics/%00", "/admin/clinics/%00/edit", "/admin/doctors/%00/edit"):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code in {404, 405}
