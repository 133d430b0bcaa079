"""How much work a call is: counted, not timed, so that nothing else on the machine changes it.

What is written in C counts as one step, however long it runs. The patterns and the parser are therefore
tried on what is as large as the guard allows: were they not linear, the suite would stop them.
"""

import sys


def steps(call):
    """Return how many instructions of Python's the call takes, in all modules."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def growth(work, small, large):
    """Return how many times the steps of ``work(small)`` those of ``work(large)`` are."""
    work(small)  # what is worked out once counts for neither
    return steps(lambda: work(large)) / steps(lambda: work(small))
