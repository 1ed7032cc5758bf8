import sys
import unittest

sys.path.insert(0, "src")

from words import common_words


class CommonWords(unittest.TestCase):
    def test_each_word_stands_once_in_the_order_of_the_first_text(self):
        self.assertEqual(common_words("b a b c", "c b x"), ["b", "c"])

    def test_texts_may_be_empty(self):
        self.assertEqual(common_words("", "a"), [])
        self.assertEqual(common_words("a", ""), [])
