"""Booking for somebody at the desk, once or as a series: the shared pages under the desk's addresses."""

from __future__ import annotations

from portal.web.desk import bp
from portal.web.shared import arranging, series

arranging.mount(bp)
series.mount(bp)
