"""For any WSGI server: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

import sys

from portal import config, create_app
from portal.core import log

log.take_over()
try:
    app = create_app()
except config.ConfigError as wrong:
    print(wrong, file=sys.stderr)
    sys.exit(config.EXIT)
