"""The Flask application: settings in, WSGI out."""

from __future__ import annotations

from flask import Flask

from gateway.operations.services import Services
from gateway.web import answers, notifications, operational


def create(services: Services) -> Flask:
    """Return the application over ``services``."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.body_limit
    app.config["SECRET_KEY"] = services.vault.secret("session")
    app.extensions["didymos"] = services
    answers.install(app)
    for blueprint in (notifications.blueprint, operational.blueprint):
        app.register_blueprint(blueprint)
    return app
