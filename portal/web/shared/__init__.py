"""Pages every signed-in person has: notifications and the live stream."""

from portal.web.shared.changes import bp as changes
from portal.web.shared.notifications import bp as notifications
from portal.web.shared.stream import bp as stream

__all__ = ["changes", "notifications", "stream"]
