"""A doctor books for a patient, once or as a series: the shared pages under the doctor's addresses."""

from __future__ import annotations

from portal.web.doctor import bp
from portal.web.shared import arranging, series

arranging.mount(bp)
series.mount(bp)
