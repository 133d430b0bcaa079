import io
from datetime import UTC, datetime

from rich.console import Console

from gateway.demonstration.view import STAGES, Address, Row, line, picture, watch

AT = datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC)
DONE = Row(
    "1",
    AT,
    "ada",
    "new lipid results",
    {stage: 10.0 * place for place, stage in enumerate(STAGES)},
    "total CVD 10 y 7.4 %",
    "shown",
)
ON_ITS_WAY = Row("2", AT, "carl", "blood pressure at a visit", {"journaled": 4.2})
STOPPED = Row(
    "3", AT, "jakob", "new lipid results", {"journaled": 0.0}, "denied: [consent] says no", "stopped"
)
ADDRESSES = (Address("http://127.0.0.1:8080/", "the twins"), Address("http://127.0.0.1:8090/ui", "the EHR"))


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=200, height=30, color_system=None), text


def _waits(times: int):
    left = iter([True] * times)
    return lambda: next(left, False)


def test_the_picture_shows_addresses_paths_and_results() -> None:
    console, text = _console(terminal=False)
    console.print(picture([DONE, ON_ITS_WAY, STOPPED], ADDRESSES))
    shown = text.getvalue()
    for expected in (
        "http://127.0.0.1:8080/",
        "total CVD 10 y 7.4 %",
        "40",
        "denied: [consent] says no",
        "·",
    ):
        assert expected in shown


def test_the_picture_keeps_to_its_height_with_the_newest() -> None:
    console, text = _console(terminal=False)
    console.print(picture([DONE, ON_ITS_WAY, STOPPED], (), height=1))
    assert "jakob" in text.getvalue()
    assert "ada" not in text.getvalue()


def test_a_line_names_the_stages_passed_in_order() -> None:
    assert line(ON_ITS_WAY) == ("09:30:05 | carl | blood pressure at a visit | journaled 4 ms | ")


def test_elsewhere_than_on_a_terminal_each_ended_row_is_one_line_and_said_once() -> None:
    console, text = _console(terminal=False)
    watch(lambda: [DONE, ON_ITS_WAY, STOPPED], ADDRESSES, console, _waits(3))
    assert text.getvalue().splitlines() == [
        "the twins: http://127.0.0.1:8080/",
        "the EHR: http://127.0.0.1:8090/ui",
        line(DONE),
        line(STOPPED),
    ]


def test_on_a_terminal_the_table_is_drawn_live() -> None:
    console, text = _console(terminal=True)
    watch(lambda: [DONE], ADDRESSES, console, _waits(2))
    assert "total CVD 10 y 7.4 %" in text.getvalue()
