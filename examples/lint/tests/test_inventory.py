import sys
import unittest

sys.path.insert(0, "src")

import inventory

ITEMS = [{"name": "nut", "count": 3}, {"name": "bolt", "count": 4, "gone": True}, {"name": "nail", "count": 2}]


class Inventory(unittest.TestCase):
    def test_what_is_gone_does_not_count(self):
        self.assertEqual(inventory.total(ITEMS), 5)
        self.assertEqual(inventory.names(ITEMS), ["nut", "nail"])

    def test_an_item_is_found_by_its_name(self):
        self.assertEqual(inventory.find(ITEMS, "bolt")["count"], 4)
        self.assertIsNone(inventory.find(ITEMS, "screw"))
