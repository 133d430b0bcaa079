from __future__ import annotations

from threading import Event, Thread

import pytest

from audit.turns import Turns


class Refused(Exception):
    pass


class Book:
    """Where the turns write; it waits at the door until it is let."""

    def __init__(self) -> None:
        self.pages: list[list[object]] = []
        self.entered, self.door = Event(), Event()
        self.door.set()

    def write(self, items):
        self.entered.set()
        self.door.wait(5)
        first = sum(map(len, self.pages))
        if "bad" in items:
            raise OSError("torn page")
        self.pages.append(list(items))
        return first


def turns(book, limit=1000, patience=5.0):
    return Turns(book.write, Refused, limit=limit, patience=patience)


def submit_behind_a_closed_door(book, queue, parts):
    """Let the first part wait in the door, the others behind it, then open."""
    outcomes: dict[int, object] = {}

    def submit(place, part):
        try:
            outcomes[place] = queue.submit(part)
        except Refused as refused:
            outcomes[place] = refused

    book.door.clear()
    threads = [Thread(target=submit, args=each) for each in enumerate(parts)]
    threads[0].start()
    book.entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    while len(queue._queue) < len(parts) - 1:
        pass
    book.door.set()
    for thread in threads:
        thread.join()
    return [outcomes[place] for place in range(len(parts))]


def test_callers_that_wait_share_the_next_page():
    book = Book()
    outcomes = submit_behind_a_closed_door(book, turns(book), [["a"], ["b"], ["c", "d"], ["e"]])
    assert len(book.pages) == 2
    flat = [item for page in book.pages for item in page]
    for part, indices in zip([["a"], ["b"], ["c", "d"], ["e"]], outcomes, strict=True):
        assert [flat[index] for index in indices] == part


def test_page_that_would_be_too_long_is_divided():
    book = Book()
    submit_behind_a_closed_door(book, turns(book, limit=3), [["a"], ["b", "b"], ["c", "c"], ["d", "d"]])
    assert [len(page) for page in book.pages] == [1, 2, 2, 2]


def test_failed_page_fails_each_of_its_callers_and_no_other():
    book = Book()
    outcomes = submit_behind_a_closed_door(book, turns(book), [["a"], ["bad"], ["c"]])
    assert outcomes[0] == (0,)
    assert all(isinstance(each, Refused) and "OSError" in str(each) for each in outcomes[1:])
    assert book.pages == [["a"]]


def test_caller_waits_for_its_turn_only_so_long():
    book = Book()
    queue = turns(book, patience=0.05)
    outcomes = submit_behind_a_closed_door(book, queue, [["a"]])
    book.door.clear()
    book.entered.clear()
    first = Thread(target=queue.submit, args=(["b"],))
    first.start()
    book.entered.wait(5)
    with pytest.raises(Refused, match="no turn"):
        queue.submit(["c"])
    book.door.set()
    first.join()
    assert outcomes == [(0,)]
    assert book.pages == [["a"], ["b"]]


def test_interrupted_leader_leaves_nobody_waiting():
    def interrupted(items):
        raise KeyboardInterrupt

    queue = Turns(interrupted, Refused, limit=10, patience=1)
    with pytest.raises(KeyboardInterrupt):
        queue.submit(["a"])
    with pytest.raises(KeyboardInterrupt):
        queue.submit(["b"])
    assert not queue._queue
