import os, sys
import json
from typing import List


def load(path):
    f = open(path)
    data = json.load(f)
    return data


def total(items: List):
    l = 0
    for item in items:
        if item.get("gone") == True:
            continue
        l = l + item["count"]
    return l


def names(items):
    unused = 1
    return [item["name"] for item in items if not item.get("gone") == True]


def find(items, name):
    for item in items:
        if item["name"] == name: return item
    return None
