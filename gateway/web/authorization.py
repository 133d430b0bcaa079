"""The token address of SMART Backend Services. Its errors are OAuth's, not OperationOutcomes."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from gateway.operations import tokens
from gateway.operations.tokens import Refusal
from gateway.web.answers import services

blueprint = Blueprint("authorization", __name__)

FORM = "application/x-www-form-urlencoded"


@blueprint.post("/oauth/token")
def token() -> Response:
    """Give an access token for a signed assertion."""
    given = tokens.grant(services(), _parameters())
    return jsonify(
        access_token=given.token,
        token_type="bearer",  # noqa: S106  # a kind, not a secret
        expires_in=int(tokens.TOKEN_LIFE.total_seconds()),
        scope=" ".join(given.scopes),
    )


def _parameters() -> dict[str, str]:
    """Return the form's parameters; one that comes twice, or in the address, has no one meaning."""
    if request.mimetype != FORM or request.args:
        raise Refusal("invalid_request", f"parameters come in a body of type {FORM}")
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise Refusal("invalid_request", "a parameter is given more than once")
    return request.form.to_dict()


@blueprint.errorhandler(Refusal)
def _refused(refusal: Refusal) -> Response:
    answer = jsonify(error=refusal.error, error_description=str(refusal))
    answer.status_code = refusal.status
    return answer


@blueprint.after_request
def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
