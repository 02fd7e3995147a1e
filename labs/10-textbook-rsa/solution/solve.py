"""Makes the predictions, and finds the answers with textbook.py beside this file."""

import re

from capture import pieces
from keys import read_folder
from textbook import factor, who_logged_in

login = next(data for sender, data in pieces("chat.pcap") if sender == "client")
answers = {
    "longer-key": "a",
    "how-many-fall": "a",
    "who-logged-in": who_logged_in(login, read_folder("public")),
    "weak-keys": len(factor(read_folder("office"))),
}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
