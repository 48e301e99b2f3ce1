"""What everybody sees: home, directory, doctors, and the way to a booking."""

from flask import Blueprint


bp = Blueprint("public", __name__)

from portal.web.public import pages  # noqa: E402, F401 - the views register themselves on the blueprint
