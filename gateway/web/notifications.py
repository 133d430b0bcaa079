"""Where EHRs send Subscription notifications."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from gateway.operations.receive import Delivered, receive
from gateway.web.answers import services

blueprint = Blueprint("notifications", __name__)


@blueprint.route("/notifications/<channel>", methods=["POST", "PUT"])
@blueprint.route("/notifications/<channel>/<kind>/<identifier>", methods=["PUT", "POST", "DELETE"])
def notify(channel: str, kind: str | None = None, identifier: str | None = None) -> Response:
    """Take a notification; 200 means that it is on disk."""
    receive(
        services(),
        Delivered(
            channel=channel,
            secret=request.headers.get("Authorization", "").removeprefix("Bearer "),
            type=kind,
            id=identifier,
            content_type=request.content_type,
            body=request.get_data(cache=False),
            deleted=request.method == "DELETE",
        ),
    )
    return current_app.response_class(status=200)
