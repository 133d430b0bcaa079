"""The clinician's pages: a list of twins, and one page for each. An exit like any other.

Nothing is shown before consent was decided and the reading is in the audit log. The pages need no
scripts and load nothing from elsewhere.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import NotPermitted
from gateway.operations import portrait
from gateway.operations.disclosure import Reader
from gateway.web import sign_in
from gateway.web.answers import services
from gateway.web.pages import charts, words
from gateway.web.pages.evidence import evidence, link, unusable
from gateway.web.pages.listing import listing, state

blueprint = Blueprint("pages", __name__)


@blueprint.before_request
def _clinicians_only() -> AnyResponse | None:
    person = sign_in.signed_in()
    if person is None:
        return redirect(url_for("sign_in.form"), Response=Response, code=303)
    if person.role != "clinician":
        raise NotPermitted("These pages are for clinicians.")
    g.reader = person
    return None


def _reader() -> Reader:
    return Reader(g.reader, g.request)


@blueprint.get("/")
def front() -> AnyResponse:
    """Lead to the list."""
    return redirect(url_for("pages.twins"), Response=Response)


@blueprint.get("/twins")
def twins() -> str:
    """Show the patients of one page by risk."""
    album = portrait.some(services(), _reader(), request.args.get("after", ""))
    return render_template("twins.html", listing=listing(album), reader=g.reader, at=services().clock())


@blueprint.get("/twins/<twin>")
def twin(twin: str) -> str:
    """Show one twin."""
    shown = portrait.one(services(), _reader(), twin)
    return render_template(
        "twin.html",
        portrait=shown,
        state=state(shown),
        evidence=evidence(shown, services().models),
        unusable=unusable(shown),
        bars=charts.bars,
        link=link,
        reader=g.reader,
    )


blueprint.after_request(sign_in.sober)
blueprint.register_error_handler(Exception, sign_in.failed)
for _filter in words.FILTERS:
    blueprint.add_app_template_filter(_filter)
