"""Makes the predictions, and answers the questions; wire.py beside this file does the rest."""

import re

from capture import pieces

_login, _greeting, payment, *_rest = (data for sender, data in pieces("day.pcap") if sender == "client")
answers = {
    "second-copy": "a",
    "sent-back": "a",
    "payment-length": len(payment),
    "rung-of-order": 3,
    "rung-of-ending": 4,
}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
