"""For any WSGI server: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

from portal import create_app
from portal.core import log

log.take_over()
app = create_app()
