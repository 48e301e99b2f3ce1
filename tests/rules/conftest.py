"""Rules look through both doors; what a program sends is made as in tests/api."""

from tests.api.conftest import api, wish

__all__ = ["api", "wish"]
