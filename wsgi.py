"""For any WSGI server: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

from portal import create_app

app = create_app()
