"""Makes the prediction, and reads the answer from order.pcap; turn.py beside this file does the rest."""

import re

from capture import pieces

_login, order, *_rest = (data for sender, data in pieces("order.pcap") if sender == "client")
with open("answers.toml") as file:
    sheet = file.read()
for question, value in {"changed-order": "a", "order-length": len(order)}.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
