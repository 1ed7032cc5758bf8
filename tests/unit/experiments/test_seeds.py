"""The seeds that measurements get, and edits that change nothing but a seed, or nothing at all."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flagstone.experiments.candidates.edits.seeds import is_no_op, is_seed_only, seed_for

TRAIN = '''"""A model."""
import argparse, os, random
import torch
import numpy as np

SEED = 42
RUN_NOTE = "first"
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--steps", type=int, default=100)
torch.manual_seed(SEED)
generator = np.random.default_rng(1)
settings = {"seed": 3, "lr": 0.1}


def split(rows, random_state=0, size=10):
    """Splits."""
    return shuffle(rows, random_state=5)[:size]  # a part


loss = 1.5
'''


def edit(
    *pairs: tuple[str, str], path: str = "train.py", text: str = TRAIN
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    changed = text
    for old, new in pairs:
        assert old in changed
        changed = changed.replace(old, new)
    return {path: text.encode(), "other.bin": b"\x00"}, {path: changed.encode(), "other.bin": b"\x00"}


def test_the_seeds_of_an_experiment_are_the_same_every_time() -> None:
    assert [seed_for(0, repeat) for repeat in range(3)] == [319389642, 117719575, 277272013]


def test_no_two_repeats_share_a_seed_and_all_are_seeds_a_program_takes() -> None:
    seeds = [seed_for(5, repeat) for repeat in range(40_000)]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 0 and max(seeds) < 2**31


def test_seeds_of_other_experiments_are_others() -> None:
    assert len({seed_for(experiment, 0) for experiment in range(1000)}) > 990


def test_seeds_do_not_step_by_a_rule_that_can_be_read_off() -> None:
    seeds = [seed_for(0, repeat) for repeat in range(200)]
    steps = {after - before for before, after in pairwise(seeds)}
    assert len(steps) > 190


SEED_EDITS = {
    "a constant": ("SEED = 42", "SEED = 43"),
    "a negative one": ("SEED = 42", "SEED = -1"),
    "from the environment": ("SEED = 42", 'SEED = int(os.environ.get("SEED", "9"))'),
    "the default of an option": ("default=7", "default=8"),
    "a call": ("manual_seed(SEED)", "manual_seed(1234)"),
    "another call more": ("generator =", "random.seed(3)\ngenerator ="),
    "a generator": ("default_rng(1)", "default_rng(2)"),
    "a dictionary": ('"seed": 3', '"seed": 4'),
    "the default of an argument": ("random_state=0", "random_state=11"),
    "a keyword": ("random_state=5", "random_state=6"),
    "a seed and a note": ('SEED = 42\nRUN_NOTE = "first"', 'SEED = 41\nRUN_NOTE = "second"  # tried'),
}


@pytest.mark.parametrize("name", SEED_EDITS)
def test_an_edit_of_a_seed_is_only_that(name: str) -> None:
    before, after = edit(SEED_EDITS[name])
    assert is_seed_only(before, after)
    assert not is_no_op(before, after)


REAL_EDITS = {
    "another number": ("loss = 1.5", "loss = 1.4"),
    "another default": ("default=100", "default=200"),
    "another key": ('"lr": 0.1', '"lr": 0.2'),
    "another argument": ("size=10", "size=20"),
    "a seed that is computed by work": ("SEED = 42", "SEED = best_of(range(100))"),
    "a special case for a seed": ("loss = 1.5", "loss = 1.5 if SEED != 42 else 0.1"),
    "how many seeds are averaged": ("loss = 1.5", "loss = 1.5\nnum_seeds = 5"),
    "a deleted line": ("loss = 1.5\n", ""),
    "no syntax": ("loss = 1.5", "loss = = 1.5"),
}


@pytest.mark.parametrize("name", REAL_EDITS)
def test_any_other_edit_is_more_than_a_seed(name: str) -> None:
    before, after = edit(REAL_EDITS[name])
    assert not is_seed_only(before, after)
    assert not is_no_op(before, after)


@pytest.mark.parametrize("name", REAL_EDITS)
def test_a_seed_beside_another_edit_does_not_hide_it(name: str) -> None:
    assert not is_seed_only(*edit(("random_state=5", "random_state=6"), REAL_EDITS[name]))


@pytest.mark.parametrize(
    ("old", "new"),
    [("n_seeds = 3", "n_seeds = 5"), ("seeds = [1, 2]", "seeds = [1, 2, 3]"), ("seeded = 0", "seeded = 1")],
)
def test_how_many_seeds_there_are_is_no_seed(old: str, new: str) -> None:
    assert not is_seed_only(*edit((old, new), text=f"{old}\n"))


def test_another_list_of_as_many_seeds_is_only_seeds() -> None:
    assert is_seed_only(*edit(("[1, 2]", "[8, 9]"), text="seeds = [1, 2]\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # a part", "  # another part"),
        ('RUN_NOTE = "first"', 'RUN_NOTE = "second"'),
        ('RUN_NOTE = "first"', 'RUN_NOTE: str = "second"'),
        ('"""Splits."""', '"""Cuts."""'),
        ('"""A model."""', ""),
        ("loss = 1.5", "loss   =   1.5\n\n\n"),
        ('{"seed": 3, "lr": 0.1}', '{\n    "seed": 3,\n    "lr": 0.1,\n}'),
    ],
)
def test_comments_layout_docstrings_and_the_note_are_no_edit(old: str, new: str) -> None:
    before, after = edit((old, new))
    assert is_no_op(before, after)
    assert is_seed_only(before, after)


def test_an_edit_of_nothing_is_no_edit() -> None:
    assert is_no_op({"a.py": b"x = 1"}, {"a.py": b"x = 1"})


def test_a_file_more_or_less_is_an_edit() -> None:
    one, two = {"a.py": b"x = 1"}, {"a.py": b"x = 1", "b.py": b""}
    assert not is_no_op(one, two) and not is_no_op(two, one) and not is_seed_only(one, two)


FORMATS = {
    "run.yaml": "lr: 0.1  # rate\ndata:\n  seed: 1\nseeds: [1, 2]\n",
    "run.json": '{"lr": 0.1, "data": {"seed": 1}, "seeds": [1, 2]}',
    "run.toml": "lr = 0.1 # rate\nseeds = [1, 2]\n[data]\nseed = 1\n",
    "run.cfg": "[data]\n# rate\nlr = 0.1\nseed = 1\n",
    "run.ini": "[data]\n; rate\nlr: 0.1\nrandom_seed: 1\n",
}


def another_seed(text: str) -> str:
    return text.replace("seed: 1", "seed: 77").replace("seed = 1", "seed = 77").replace('seed": 1', 'seed": 77')


@pytest.mark.parametrize("path", FORMATS)
def test_a_seed_in_a_file_of_settings_is_only_a_seed(path: str) -> None:
    before, after = {path: FORMATS[path].encode()}, {path: another_seed(FORMATS[path]).encode()}
    assert before != after
    assert is_seed_only(before, after)
    assert not is_no_op(before, after)


@pytest.mark.parametrize("path", FORMATS)
def test_another_setting_is_more_than_a_seed(path: str) -> None:
    changed = another_seed(FORMATS[path]).replace("0.1", "0.2")
    assert not is_seed_only({path: FORMATS[path].encode()}, {path: changed.encode()})


@pytest.mark.parametrize("path", FORMATS)
def test_layout_and_comments_of_settings_are_no_edit(path: str) -> None:
    changed = FORMATS[path].replace("rate", "speed") + "\n"
    assert is_no_op({path: FORMATS[path].encode()}, {path: changed.encode()})


def test_a_heading_within_a_text_of_a_yaml_file_is_no_comment() -> None:
    before, after = {"a.yaml": b"prompt: |\n  # Be brief\n"}, {"a.yaml": b"prompt: |\n  # Be long\n"}
    assert not is_no_op(before, after)


def test_files_of_other_kinds_say_their_own_bytes() -> None:
    assert not is_seed_only({"run.sh": b"SEED=1\n"}, {"run.sh": b"SEED=2\n"})
    assert not is_no_op({"a.py": b"\xff"}, {"a.py": b"\xfe"})
    assert not is_no_op({"a.yaml": b"{"}, {"a.yaml": b"["})


def test_a_file_nested_too_deeply_to_read_is_an_edit() -> None:
    deep = b"x = " + b"-" * 100_000 + b"1"
    assert not is_no_op({"a.py": deep}, {"a.py": deep + b"0"})
