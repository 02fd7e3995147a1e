"""Makes the prediction; attack.py beside this file does the rest."""

with open("answers.toml") as file:
    sheet = file.read()
with open("answers.toml", "w") as file:
    file.write(sheet.replace('who-gets-in = ""', 'who-gets-in = "a"'))
