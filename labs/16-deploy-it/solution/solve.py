"""Makes the prediction, and reads the answers from monday.log; operate.py beside this file does the rest."""

import collections
import re

from operate import LINE

with open("monday.log") as file:
    events = [found.groupdict() for line in file if (found := LINE.search(line))]
at_home = {(event["user"], event["address"]) for event in events if event["message"] == "logged in"}
wrong = collections.Counter()
without_key = collections.Counter()
for event in events:
    if event["reason"] == "wrong password":
        wrong[event["user"], (event["user"], event["address"]) in at_home] += 1
    if event["reason"] == "no such user with this key" and event["address"] not in {address for _, address in at_home}:
        without_key[event["address"]] += 1
answers = {
    "silent-strangers": "a",
    "stolen-key": max((user for user, home in wrong if not home), key=lambda user: wrong[user, False]),
    "who-mistypes": next(user for user, home in wrong if home),
    "no-key": without_key.most_common(1)[0][0],
}
with open("answers.toml") as file:
    sheet = file.read()
for question, value in answers.items():
    sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
with open("answers.toml", "w") as file:
    file.write(sheet)
