"""How people sign in: a one-time link, then a cookie that holds an opaque identifier and its end.

The link carries the ticket in its path and only shows a button, so that a preview of the link spends
nothing; the button posts the ticket. The cookie is signed, HttpOnly, SameSite=Strict and ends eight hours
after sign-in, however it was used. Every POST must come from our own pages: browsers say so in
Sec-Fetch-Site (sent over https and to this machine itself) or in Origin.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gateway import errors
from gateway.errors import NotAuthenticated, NotPermitted
from gateway.operations import people
from gateway.operations.people import Person
from gateway.storage.engine import to_us
from gateway.telemetry import log, place
from gateway.web.answers import services

LIFE = timedelta(hours=8)
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_TITLES = {
    401: "Please sign in",
    403: "Not available to you",
    404: "Not found",
    410: "Erased",
    429: "Too busy",
    503: "Not possible just now",
}

blueprint = Blueprint(
    "sign_in",
    __name__,
    template_folder="pages/templates",
    static_folder="pages/static",
    static_url_path="/pages/static",
)


@blueprint.record_once
def _configure(state: BlueprintSetupState) -> None:
    """Set the cookie's rules; its ``__Host-`` name is for https only, so browsers refuse it elsewhere."""
    secure = state.app.extensions["didymos"].settings.url.startswith("https://")
    state.app.config.update(
        SESSION_COOKIE_NAME="__Host-didymos" if secure else "didymos",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFE,
    )


def sober(response: AnyResponse) -> AnyResponse:
    """Give a page its content security policy; styles are ours, scripts there are none."""
    response.headers["Content-Security-Policy"] = POLICY
    return response


def own_page_only() -> None:
    """Refuse a POST that another site made the browser send.

    Raises
    ------
    NotPermitted
        It does not come from our own pages, or the browser does not say whence it comes.
    """
    if request.method != "POST":
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        site = "same-origin" if _own_origin() else "unknown"
    if site != "same-origin":
        raise NotPermitted("this request did not come from our own page; sign in over https")


def _own_origin() -> bool:
    given = urlsplit(request.headers.get("Origin", ""))
    return (given.scheme, given.netloc) == (request.scheme, request.host)


def begin(person: Person) -> None:
    """Start the session of ``person``."""
    session.clear()
    session.permanent = True
    session["person"] = person.id
    session["until"] = to_us(services().clock() + LIFE)


def signed_in() -> Person | None:
    """Return who is signed in, as the journal knows them now."""
    identifier, until = session.get("person"), session.get("until", 0)
    if not isinstance(identifier, str) or services().now() >= until:
        return None
    return people.known(services(), identifier)


def failed(error: Exception) -> tuple[str, int]:
    """Answer an error with a page; nothing that is not known to be safe is shown."""
    status, text = _said(error)
    title = _TITLES.get(status, "Something went wrong")
    page = render_template("error.html", title=title, text=text, status=status, reader=g.get("reader"))
    return page, status


def _said(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        return error.code or 500, "There is nothing to show at this address."
    answer = errors.answer(error)
    if answer is errors.UNKNOWN:
        log().error("request-failed", request=g.get("request"), endpoint=request.endpoint, fault=place(error))
    return answer.status, str(error) if answer.text is None else answer.text


@blueprint.get("/sign-in")
@blueprint.get("/sign-in/<ticket>")
def form(ticket: str = "") -> str:
    """Show the button that signs in, or how to get a link."""
    return render_template("sign_in.html", ticket=ticket, reader=None)


@blueprint.post("/sign-in")
def enter() -> AnyResponse:
    """Sign in with a ticket."""
    ticket = request.form.get("ticket", "")
    if not ticket:
        raise NotAuthenticated("open the sign-in link that you were given")
    begin(people.redeem(services(), ticket))
    return redirect(url_for("pages.twins"), Response=Response, code=303)


@blueprint.post("/sign-out")
def leave() -> AnyResponse:
    """End the session in this browser."""
    session.clear()
    return redirect(url_for("sign_in.form"), Response=Response, code=303)


blueprint.before_request(own_page_only)
blueprint.after_request(sober)
blueprint.register_error_handler(Exception, failed)
