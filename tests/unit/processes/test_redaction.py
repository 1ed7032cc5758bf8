"""Keys do not reach the disk, and ordinary text stays what it is."""

from __future__ import annotations

import json

import pytest

from flagstone.processes.redaction import Redactor

# put together at run time, so that no scanner takes this file for a leak
KEYS = [
    "sk-" + "ant-api03-" + "Ab3_" * 8,
    "sk-" + "proj-" + "Ab3d" * 8,
    "gh" + "p_" + "a1B2" * 9,
    "github" + "_pat_" + "a1B2" * 9,
    "AK" + "IA" + "ABCD1234EFGH5678",
    "h" + "f_" + "a1B2" * 8,
    "xo" + "xb-" + "1234567890-abc",
    "Bearer " + "abcDEF123.ghi_456-789",
    "bearer " + "abcDEF123.ghi_456-789",
]


@pytest.mark.parametrize("key", KEYS)
def test_what_has_the_shape_of_a_key_is_taken_out(key: str) -> None:
    cleaned = Redactor({}).clean(f'{{"text":"before {key}"}} after'.encode()).decode()
    assert key.removeprefix("Bearer ").removeprefix("bearer ") not in cleaned
    assert cleaned.startswith('{"text":"before ')
    assert cleaned.endswith('"} after')


@pytest.mark.parametrize(
    "text", ["task-driven-and-quite-long-hyphenated", "a bearer of news", "risk-averse", "hf_hub", "the AKIA prefix"]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert Redactor({}).clean(text.encode()).decode() == text


def test_the_exact_values_of_secret_variables_are_taken_out_by_name() -> None:
    redactor = Redactor.of({"MY_password": "hunter22", "OTHER": "visible1"})
    assert redactor.clean(b"hunter22 and visible1").decode() == "[redacted MY_password] and visible1"


def test_a_secret_is_recognised_in_its_json_spelling() -> None:
    secret = 'pa"ss\\wörd'
    redactor = Redactor.of({"APP_SECRET": secret})
    for spelling in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        assert redactor.clean(spelling.encode()).decode() == '"[redacted APP_SECRET]"'


def test_short_values_and_paths_are_no_secrets() -> None:
    redactor = Redactor.of({"TOKENIZERS_PARALLELISM": "false", "SSL_KEY_FILE": "/etc/hostname"})
    assert redactor.clean(b"false /etc/hostname").decode() == "false /etc/hostname"


def test_a_secret_within_another_leaves_no_remainder() -> None:
    redactor = Redactor.of({"A_TOKEN": "abcdefgh", "B_TOKEN": "abcdefghijkl"})
    assert redactor.clean(b"abcdefghijkl").decode() == "[redacted B_TOKEN]"
