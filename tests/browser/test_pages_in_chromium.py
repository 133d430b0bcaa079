"""The clinician's pages as a browser shows them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from gateway import app
from gateway.operations import people
from tests.gateway.web import planted

playwright = pytest.importorskip(
    "playwright.sync_api", reason="the browser dependency group is not installed"
)

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".browser" / "unpacked"
PICTURES = ROOT / "build" / "pictures"
ARGUMENTS = (
    "--headless=shell",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOUR, EACH = timedelta(hours=1), timedelta(minutes=5)
WARD_PC = {"width": 1024, "height": 768}
PHONE = {"width": 400, "height": 800}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (UNPACKED / "chromium").exists(), reason="no .browser: run python -m tests.browser"
    ),
]

# Contrast of every text against the nearest painted background (WCAG 2.2, 1.4.3).
CONTRAST = """
() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const linear = part => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const paint = parse(getComputedStyle(node).backgroundColor);
      if (paint.length === 3 || paint[3] === 1) return paint;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push([walker.currentNode.textContent.trim().slice(0, 30), ratio]);
  }
  return faint;
}
"""
STRUCTURE = """
() => ({
  lang: document.documentElement.lang,
  titles: document.title.length,
  mains: document.querySelectorAll('main').length,
  tops: document.querySelectorAll('h1').length,
  levels: [...document.querySelectorAll('h1, h2, h3, h4')].map(node => Number(node.tagName[1])),
  headless: [...document.querySelectorAll('table')].filter(
    table => !table.querySelector('thead th[scope=col]') || !table.querySelector('caption')).length,
  unnamed: [...document.querySelectorAll('a, button')].filter(node => !node.textContent.trim()).length,
  unlabelled: [...document.querySelectorAll('svg')].filter(
    node => !node.getAttribute('aria-label') && node.getAttribute('aria-hidden') !== 'true').length,
  doubled: [...document.querySelectorAll('[id]')].map(node => node.id).filter(
    (id, at, all) => all.indexOf(id) !== at),
  scripts: document.scripts.length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})
"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Serve planted patients; yield the address and two paths that sign in once each."""
    clock = planted.Clock()
    services = planted.gateway(tmp_path_factory.mktemp("gateway"), clock)
    twins = planted.plant(services, (*planted.cohort(), planted.on_a_pump(planted.NOW - HOUR)))
    since = [planted.reading(planted.NOW - HOUR + n * EACH) for n in range(1, 13)]
    planted.renew(services, twins["22"], since, planted.NOW)
    names = ("Dr Eva Brandt", "Dr Amir Sato")
    tickets = [people.invite(services, name, "clinician", life=HOUR) for name in names]
    server = make_server("127.0.0.1", 0, app.create(services), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", *(f"/sign-in/{ticket}" for ticket in tickets)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    variables = {
        **os.environ,
        "LD_LIBRARY_PATH": str(UNPACKED / "al2023" / "lib"),
        "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
    }
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=UNPACKED / "chromium", args=list(ARGUMENTS), env=variables
        )
        yield started
        started.close()


def looked_at(page, name: str) -> dict:
    """Check what holds for every page, and keep a picture of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = page.evaluate(STRUCTURE)
    levels = found.pop("levels")
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    assert page.evaluate(CONTRAST) == []
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert found.pop("titles") > len("Didymos")
    nothing = {"headless": 0, "unnamed": 0, "unlabelled": 0, "doubled": [], "scripts": 0, "overflow": 0}
    assert found == {"lang": "en", "mains": 1, "tops": 1} | nothing
    return found


def test_a_clinician_signs_in_finds_a_patient_and_reads_the_twin(ward, browser):
    address, ticket, _ = ward
    context = browser.new_context(base_url=address, viewport=WARD_PC, locale="en-US")
    page = context.new_page()
    complaints, foreign = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: foreign.append(request.url) if address not in request.url else None)

    page.goto(ticket)
    looked_at(page, "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/twins")
    assert page.get_by_role("row").nth(1).get_by_role("link").inner_text() == "Miriam Ada Okafor"
    looked_at(page, "list-ward")

    page.get_by_role("link", name="Miriam Ada Okafor").click()
    page.wait_for_url("**/twins/*")
    assert page.get_by_role("heading", level=1).inner_text() == "Miriam Ada Okafor"
    assert page.get_by_text("Decision support; not for sole use.").first.is_visible()
    looked_at(page, "twin-ward")

    page.set_viewport_size(PHONE)
    looked_at(page, "twin-phone")
    page.go_back()
    looked_at(page, "list-phone")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto("/twins")
    assert page.url.endswith("/sign-in")
    assert (complaints, foreign) == ([], [])
    context.close()


def test_a_clinician_tries_a_dose_on_the_twin_of_a_person_with_type_1_diabetes(ward, browser):
    address, _, ticket = ward
    context = browser.new_context(base_url=address, viewport=WARD_PC, locale="en-US")
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(ticket)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Olga Berg").click()
    page.wait_for_url("**/twins/*")
    assert page.get_by_role("img", name="Interstitial glucose, mg/dL").is_visible()
    assert page.get_by_role("img", name="Ambulatory glucose profile, mg/dL").is_visible()
    assert within(page) == []
    looked_at(page, "glucose-ward")
    page.set_viewport_size(PHONE)
    assert within(page) == []
    looked_at(page, "glucose-phone")
    page.get_by_label("Bolus of fast-acting insulin, U").fill("4.5")
    page.get_by_role("button", name="Show the course").click()
    page.wait_for_url("**/try/**")
    assert page.get_by_role("img", name="With these doses").is_visible()
    assert within(page) == []
    looked_at(page, "trial-phone")
    page.set_viewport_size(WARD_PC)
    looked_at(page, "trial-ward")
    assert complaints == []
    context.close()


def within(page) -> list[str]:
    """Return the labels of drawings in which some text is not wholly inside."""
    return page.evaluate(
        """
        () => [...document.querySelectorAll('.fan svg')].filter(svg => {
          const box = svg.viewBox.baseVal;
          return [...svg.querySelectorAll('text')].some(text => {
            const at = text.getBBox();
            return at.x < 0 || at.y < 0 || at.x + at.width > box.width || at.y + at.height > box.height;
          });
        }).map(svg => svg.getAttribute('aria-label'))
        """
    )


def test_a_hostile_name_is_only_text(ward, browser):
    address, _, _ = ward
    context = browser.new_context(base_url=address, viewport=WARD_PC, locale="en-US")
    page = context.new_page()
    page.goto("/sign-in/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert page.evaluate("document.scripts.length") == 0
    context.close()
