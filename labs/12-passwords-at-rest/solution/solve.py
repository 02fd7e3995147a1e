"""Makes the predictions, and finds the answers with crack.py beside this file."""

import re

from crack import candidates, crack, read_store

with open("words.txt") as file:
    guesses = list(candidates(file.read().split()))
found = [name for name, salt, stored in read_store("stolen.txt") if crack(salt, stored, guesses)]

with open("stolen-new.txt") as file:
    new_store = file.read()
with open("answers.toml") as file:
    sheet = file.read()
text = " ".join(line.lstrip("# ") for line in sheet.splitlines() if line.startswith("#"))
size = int(re.search(r"list of\s+(\d+)\s+guesses", text)[1])
hours = {"fast": size / 1_000_000 / 3600, "slow": size / 10 / 3600}
answers = {
    "salt": "a",
    "how-many-fall": "a",
    "fallen": len(found),
    "memory": re.search(r"m=(\d+)", new_store)[1],
    "cents": int(hours["fast"] * 4),
    "dollars": int(hours["slow"] * 0.04),
}
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
