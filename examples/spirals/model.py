"""A network with one hidden layer, in plain Python."""

import math


class Net:
    def __init__(self, width, source):
        self.first = [[source.gauss(0, 1) for _ in range(3)] for _ in range(width)]
        self.second = [source.gauss(0, 1) / math.sqrt(width) for _ in range(width + 1)]

    def forward(self, point):
        self.inputs = (*point, 1.0)
        self.hidden = [math.tanh(sum(w * x for w, x in zip(row, self.inputs))) for row in self.first] + [1.0]
        return 1 / (1 + math.exp(-max(-30, min(30, sum(w * h for w, h in zip(self.second, self.hidden))))))

    def learn(self, error, lr):
        for row, weight, hidden in zip(self.first, self.second, self.hidden):
            slope = lr * error * weight * (1 - hidden * hidden)
            for at, x in enumerate(self.inputs):
                row[at] -= slope * x
        self.second = [w - lr * error * h for w, h in zip(self.second, self.hidden)]
