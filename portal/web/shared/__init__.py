"""Pages every signed-in person has: notifications and the live stream."""

from portal.web.shared.notifications import bp as notifications
from portal.web.shared.stream import bp as stream

__all__ = ["notifications", "stream"]
