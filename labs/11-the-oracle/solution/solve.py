"""Makes the predictions, and answers the question; oracle.py beside this file does the rest."""

import re

from oracle import first_s, read_envelope

n, _e, _c = read_envelope("envelope.txt")
answers = {"one-bit": "a", "how-many": "a", "first-s": first_s(n)}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
