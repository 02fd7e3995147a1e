"""What the drivers share: sessions come in, one a line; what a solver made of each goes out, one a line.

In:  a JSON list of ciphertexts in hexadecimal.
Out: a JSON object; "seconds" is what the solver alone took, "messages" are plaintexts in hexadecimal.
"""

import contextlib
import io
import json
import signal
import sys
import time


class OutOfTime(Exception):
    """The solver had its time."""


def out_of_time(_signal, _frame):
    raise OutOfTime


def drive(solve, limit):
    """Gives each session to `solve`, a function from ciphertexts to plaintexts, for at most `limit` seconds."""
    signal.signal(signal.SIGALRM, out_of_time)
    for line in sys.stdin:
        ciphertexts = [bytes.fromhex(text) for text in json.loads(line)]
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                messages = solve(ciphertexts)
        except OutOfTime:
            messages = [b""] * len(ciphertexts)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "messages": [bytes(message).hex() for message in messages]}
        print(json.dumps(answer), flush=True)
