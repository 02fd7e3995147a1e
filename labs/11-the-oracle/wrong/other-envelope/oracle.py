"""Prints a text that was in another envelope."""

print("the map is under the third stone at the opera")
