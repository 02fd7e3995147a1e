"""Makes the predictions, and answers the questions; rogue.py beside this file does the rest."""

import re

from capture import pieces

sent = pieces("monday.pcap")
answers = {
    "who-notices": "a",
    "signed-by-a-stranger": "a",
    "server-bytes": sum(len(data) for sender, data in sent if sender == "server"),
    "login-length": len(sent[0][1]),
    # `latchstring-attack run rogue-server --against hardened-minus=host-pin` prints it.
    "password-without-pin": "correct horse battery staple",
}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
