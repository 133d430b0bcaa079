"""The Flask application: settings in, WSGI out."""

from __future__ import annotations

from flask import Flask

from gateway import telemetry
from gateway.operations.services import Services
from gateway.settings import Settings
from gateway.web import answers, authorization, fhir, notifications, operational, pages, sign_in
from gateway.wiring import wire


def from_environment() -> Flask:
    """Return the application for a WSGI server: ``gunicorn 'gateway.app:from_environment()'``."""
    settings = Settings.load()
    telemetry.configure(settings.log_level)
    return create(wire(settings))


def create(services: Services) -> Flask:
    """Return the application over ``services``."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.body_limit
    app.config["SECRET_KEY"] = services.vault.secret("session")
    app.extensions["didymos"] = services
    answers.install(app)
    for blueprint in (
        notifications.blueprint,
        fhir.blueprint,
        authorization.blueprint,
        operational.blueprint,
        sign_in.blueprint,
        pages.blueprint,
    ):
        app.register_blueprint(blueprint)
    return app
