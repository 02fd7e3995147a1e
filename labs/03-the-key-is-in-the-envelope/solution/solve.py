"""Makes the predictions, and reads the answers from the recordings; envelope.py beside this file does the rest."""

import glob
import re

from capture import pieces
from envelope import read_key, read_later, read_old

key = read_key("host-key.txt")
answers = {"private-key": "a", "years-later": "a", "second-message": read_old(pieces("old.pcap"))[1]}
for path in glob.glob("*day.pcap"):
    sent = pieces(path)
    if len(read_later(sent, *key)) > 1:
        answers["which-day"] = path.removesuffix(".pcap")
        answers["hello-length"] = len(sent[0][1])

with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
