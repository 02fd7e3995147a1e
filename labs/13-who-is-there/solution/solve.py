"""Makes the predictions, and answers the questions; census.py beside this file does the rest."""

import re

# `latchstring-attack show` names both defences.
answers = {
    "equal-answers": "a",
    "which-answer": "a",
    "defence-of-answers": "uniform-failure",
    "defence-of-time": "constant-work",
}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
