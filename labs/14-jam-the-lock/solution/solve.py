"""Makes the predictions, and answers the questions; jam.py beside this file does the rest."""

import re

# `latchstring-attack run hog` and `latchstring-attack run slow-and-huge` print both numbers.
answers = {"one-silent-client": "a", "with-a-deadline": "a", "turned-away": 20, "unfinished-hello": 10}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
