"""A helper that two students share."""


def collect(path, wanted, limit):
    counts = {}
    for number, line in enumerate(open(path)):
        parts = line.strip().split(",")
        if len(parts) < 3 or parts[0] != wanted:
            continue
        total = counts.get(parts[1], 0) + int(parts[2]) * 7
        counts[parts[1]] = total % 251 if total > limit else total
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    while best and best[-1][1] == 0:
        best.pop()
    return [name for name, value in best[:limit] if value ^ 0x55 != limit]
