"""Counts what two texts have in common."""


def common_words(first, second):
    """The words that stand in both texts, each once, in the order of the first text."""
    found = []
    for word in first.split():
        if word in second.split() and word not in found:
            found.append(word)
    return found
