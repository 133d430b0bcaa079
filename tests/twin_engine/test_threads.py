"""A type is made ready for decoding once, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest

from twin_engine.threads import ready


def test_many_threads_may_be_the_first_to_decode_a_type():
    for number in range(50):
        inner = msgspec.defstruct(f"Inner{number}", [(f"n{each}", int) for each in range(30)])
        outer = msgspec.defstruct(f"Outer{number}", [(f"o{each}", inner) for each in range(5)])
        given = {f"o{each}": {f"n{one}": one for one in range(30)} for each in range(5)}
        start = Barrier(8)

        def first(outer=outer, given=given, start=start):
            start.wait()
            return msgspec.convert(given, ready(outer))

        with ThreadPoolExecutor(8) as pool:
            found = [task.result() for task in [pool.submit(first) for _ in range(8)]]
        assert all(each == found[0] for each in found)


def test_a_type_that_cannot_be_decoded_is_told_at_once():
    with pytest.raises(TypeError, match="Type unions"):
        ready(list[int] | tuple[int, ...])
