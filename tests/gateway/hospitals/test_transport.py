"""Bounds hold against a server that misbehaves."""

import gzip
import os
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.hospitals.errors import AmbiguousWrite, BadAnswer, HospitalUnavailable
from gateway.hospitals.per_process import PerProcess
from gateway.hospitals.transport import Limits, Request, Transport


@contextmanager
def serving(answer):
    """Serve ``answer(handler)``; yields the address and the list of methods seen."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            seen.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        do_GET = do_POST = handle_any  # noqa: N815 - the names that http.server calls

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(status, body=b"", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b"{")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return


def request(url, method="GET"):
    return Request(method, url, {}, None if method == "GET" else b"{}")


def test_a_redirect_is_not_followed():
    with serving(reply(200)) as (elsewhere, visited), serving(reply(302, Location=elsewhere)) as (url, _):
        assert Transport(Limits()).send(request(url)).status == 302
        assert visited == []


def test_a_lost_read_is_repeated_within_bounds():
    with serving(hang_up) as (url, seen):
        with pytest.raises(HospitalUnavailable):
            Transport(Limits(repeats=2, backoff=0.001)).send(request(url))
        assert seen == ["GET"] * 3


def test_a_lost_write_is_ambiguous_and_never_repeated():
    with serving(hang_up) as (url, seen):
        with pytest.raises(AmbiguousWrite):
            Transport(Limits()).send(request(url, "POST"))
        assert seen == ["POST"]


def test_a_write_that_nobody_took_is_not_ambiguous():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(HospitalUnavailable):
        Transport(Limits()).send(request(f"http://127.0.0.1:{port}/fhir", "POST"))


def test_a_server_that_drips_bytes_is_left_at_the_deadline():
    with serving(drip) as (url, _):
        begun = time.monotonic()
        with pytest.raises(HospitalUnavailable):
            Transport(Limits(deadline=0.2, repeats=0)).send(request(url))
        assert time.monotonic() - begun < 1


def test_a_long_answer_is_cut_off_and_so_is_a_bomb():
    bomb = gzip.compress(b"0" * 5_000_000)
    for answer in (reply(200, b"0" * 200_000), reply(200, bomb, Content_Encoding="gzip")):
        with serving(answer) as (url, _), pytest.raises(BadAnswer):
            Transport(Limits(body=100_000)).send(request(url))


def test_a_failing_server_is_asked_again_later():
    answers = iter([reply(503), reply(502), reply(200, b"{}")])
    with serving(lambda handler: next(answers)(handler)) as (url, seen):
        assert Transport(Limits(backoff=0.001)).send(request(url)).body == b"{}"
        assert len(seen) == 3


def test_retry_after_may_be_a_date():
    date = {"Date": "Sun, 01 Mar 2026 12:00:00 GMT", "Retry_After": "Sun, 01 Mar 2026 12:01:30 GMT"}

    def answer(handler):
        handler.send_response_only(429)
        for name, value in date.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(answer) as (url, _), pytest.raises(HospitalUnavailable) as unavailable:
        Transport(Limits()).send(request(url))
    assert unavailable.value.retry_after == 90


def test_cookies_are_not_kept():
    sent = []

    def answer(handler):
        sent.append(handler.headers.get("Cookie"))
        reply(200, b"{}", Set_Cookie="session=1; Path=/")(handler)

    with serving(answer) as (url, _):
        transport = Transport(Limits())
        transport.send(request(url))
        transport.send(request(url))
    assert sent == [None, None]


def test_a_forked_process_makes_its_own():
    held = PerProcess(object)
    ours = held()
    assert held() is ours
    child = os.fork()
    if child == 0:
        os._exit(0 if held() is not ours else 1)
    assert os.waitpid(child, 0)[1] == 0
