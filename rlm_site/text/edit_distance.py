"""Edit distance: how many letters were mistyped."""


def edit_distance(first: str, second: str, most: int) -> int:
    """Return how many letters are to be put in, left out, replaced or swapped with their neighbour; at most `most` + 1.

    >>> edit_distance("vallye", "valley", 2), edit_distance("clark", "clear", 1)
    (1, 2)
    """
    too_many = most + 1
    if abs(len(first) - len(second)) > most or len(set(first) ^ set(second)) > 2 * most:
        return too_many
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        line = [row]
        for column, other in enumerate(second, 1):
            least = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == second[column - 2] and other == first[row - 2]:
                least = min(least, before[column - 2] + 1)
            line.append(least)
        if min(line) > most:
            return too_many
        before, above = above, line
    return min(above[-1], too_many)


def most_edits(word: str) -> int:
    """Return how many letters of a word may be mistyped: beyond that, another word is as likely to be meant."""
    return 0 if len(word) < 4 else min(3, (len(word) - 1) // 3)
