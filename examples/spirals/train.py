"""Trains the network, and prints how good it is on points that it has not seen."""

import argparse
import math
import random

from data import points
from model import Net

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

train, val = list(points(random.Random(1), 300)), list(points(random.Random(2), 200))
source = random.Random(args.seed)
net = Net(args.width, source)
for epoch in range(args.epochs):
    source.shuffle(train)
    for point, label in train:
        net.learn(net.forward(point) - label, args.lr)
    chances = [net.forward(point) if label else 1 - net.forward(point) for point, label in val]
    print(f"epoch {epoch} val_loss {-sum(math.log(max(each, 1e-9)) for each in chances) / len(chances):.4f}")
