"""Prints lines that were right for another capture."""

print("1+5 at 0: hello se")
print("2+5 at 0: please b")
print("3+5 at 0: the word")
