"""The clinician's pages: a list of twins, and one page for each. An exit like any other.

Nothing is shown before consent was decided and the reading is in the audit log. The pages need no
scripts and load nothing from elsewhere.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.errors import NotFound, NotPermitted
from gateway.operations import portrait
from gateway.operations.disclosure import Reader
from gateway.operations.portrait import Portrait
from gateway.operations.simulate import tried
from gateway.web import sign_in
from gateway.web.answers import services
from gateway.web.pages import charts, exploring, fans, profiles, words
from gateway.web.pages.evidence import evidence, link, unusable
from gateway.web.pages.listing import concerns, listing, state
from twin_engine.twin import Item, Plan, Refusal, Trajectory

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
    return render_template(
        "twins.html", listing=listing(album, services().models), reader=g.reader, at=services().clock()
    )


@blueprint.get("/twins/<twin>")
def twin(twin: str) -> str:
    """Show one twin."""
    shown = portrait.one(services(), _reader(), twin)
    concerned = (one for one in shown.told if concerns(one, services().models))
    told = sorted(concerned, key=lambda one: isinstance(one.answer, Refusal))
    titles = {one.card.title for one in shown.told if one not in told}
    items = _items(shown)
    controlled = profiles.controlled(told)
    return render_template(
        "twin.html",
        portrait=shown,
        answers=told,
        others=sorted(titles),
        controlled=controlled,
        profile=profiles.drawn(controlled, items),
        state=state(shown),
        evidence=evidence(shown, services().models),
        unusable=unusable(shown),
        bars=charts.bars,
        fan=fans.fan,
        items=items,
        link=link,
        explored=_explored(shown),
        fields=exploring.FIELDS,
        numbers={},
        reader=g.reader,
    )


def _items(shown: Portrait) -> list[Item]:
    return [item for record in shown.evidence for item in record.items]


def _explored(shown: Portrait) -> str | None:
    """Return the model on which therapies can be tried here and now."""
    for told in shown.told:
        forecast = told.live(shown.at)
        if forecast and forecast.courses and exploring.explorable(services().models[told.card.name]):
            return told.card.name
    return None


@blueprint.post("/twins/<twin>/try/<model>")
def trial(twin: str, model: str) -> str:
    """Try doses on one twin; who may see the twin may."""
    sign_in.own_page_only()
    shown = portrait.one(services(), _reader(), twin)
    if model != _explored(shown):
        raise NotFound
    numbers = exploring.asked(request.form)
    until = shown.at + timedelta(hours=exploring.HOURS)
    plans = {"With these doses": exploring.plan(numbers, shown.at), "Without them": Plan()}
    found = {
        title: tried(services(), twin, services().models[model], plan, shown.at, until)
        for title, plan in plans.items()
    }
    reasons = [reason for path in found.values() if isinstance(path, Refusal) for reason in path.reasons]
    courses = [
        (title, course)
        for title, path in found.items()
        if isinstance(path, Trajectory)
        for course in path.courses
    ]
    alike = [course for _, course in courses]
    drawn = [(title, course, fans.fan(course, _items(shown), alike)) for title, course in courses]
    return render_template(
        "trial.html",
        portrait=shown,
        explored=model,
        fields=exploring.FIELDS,
        numbers=numbers,
        reasons=reasons,
        fans=drawn,
        reader=g.reader,
    )


blueprint.after_request(sign_in.sober)
blueprint.register_error_handler(Exception, sign_in.failed)
for _filter in words.FILTERS:
    blueprint.add_app_template_filter(_filter)
