"""Makes the predictions, and finds the answers with cycle.py beside this file."""

import re

from cycle import search

with open("answers.toml") as file:
    sheet = file.read()
# The questions say when the server was started, and how fast the machine is that tries keys.
text = " ".join(line.lstrip("# ") for line in sheet.splitlines() if line.startswith("#"))
first, last = map(int, re.search(r"from\s+(\d+)\s+to\s+(\d+)", text).groups())
speeds = {"a million": 6, "a thousand million": 9, "a million million": 12}
speed = re.search(r"tries\s+(a (?:million|thousand) million|a million)\s+keys", text)[1]
answers = {
    "how-many-keys": "a",
    "twice-as-long": "a",
    "seed": search("morning.pcap", first, last),
    "bits": (last - first).bit_length(),
    "years": len(str(2**256 // 10 ** speeds[speed] // 31_557_600)) - 1,
}
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
