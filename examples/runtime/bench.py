"""Prints the seconds that a call takes: the shortest of five, on two texts of random words."""

import random
import sys
import time

sys.path.insert(0, "src")

from words import common_words

random.seed(7)
first, second = (" ".join(str(random.randrange(400)) for _ in range(600)) for _ in range(2))
times = []
for _ in range(5):
    begin = time.perf_counter()
    common_words(first, second)
    times.append(time.perf_counter() - begin)
print(f"{min(times):.9f}")
