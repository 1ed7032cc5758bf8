"""Keys do not reach the disk, and ordinary text stays what it is."""

from __future__ import annotations

import json

import pytest

from flagstone.processes.secrets import KeyLines, Redactor

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


def cleaned(redactor: Redactor, text: str) -> str:
    return redactor.clean(text.encode()).decode()


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
    assert cleaned(redactor, "abcdefghijkl") == "[redacted B_TOKEN]"


@pytest.mark.parametrize("name", ["DB_PASS", "MYSQL_PWD", "PASS", "GPG_PASSPHRASE", "DATABASE_URL", "SENTRY_DSN"])
def test_names_that_people_give_to_passwords_are_known(name: str) -> None:
    assert cleaned(Redactor.of({name: "hunter22-or-so"}), "it is hunter22-or-so") == f"it is [redacted {name}]"


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "COMPASS", "PASSENGERS", "AUTHOR", "HOME_URL"])
def test_names_that_only_look_alike_are_not(name: str) -> None:
    assert cleaned(Redactor.of({name: "hunter22-or-so"}), "hunter22-or-so") == "hunter22-or-so"


def test_the_password_in_an_address_is_taken_out_wherever_the_address_stands() -> None:
    redactor = Redactor.of({"PLACE": "postgresql://me:hunter22x@db:5432/all"})
    assert cleaned(redactor, "pw hunter22x at db:5432") == "pw [redacted PLACE] at db:5432"
    assert cleaned(Redactor({}), "https://me:hunter2@host/x") == "https://[redacted key]@host/x"
    for plain in ("http://host:8080/a@b", "https://example.org/@me:x", "git@host:a/b", "{a}://{b}:{c}@x"):
        assert cleaned(Redactor({}), plain) == plain


def test_every_line_of_a_secret_with_several_is_one() -> None:
    redactor = Redactor.of({"MULTI_SECRET": "first-line-of-it\n  second-line-of-it\nend"})
    for line in ("first-line-of-it", "second-line-of-it"):
        assert cleaned(redactor, f"a {line} b") == "a [redacted MULTI_SECRET] b"
    assert cleaned(redactor, "the end") == "the end"


PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + "MIIEabc/+0\n" * 4 + "Ab==\n"
    "-----END RSA PRIVATE KEY-----\n"
).replace("BEGIN", "BEG" + "IN")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_private_key_that_comes_line_by_line_is_taken_out(size: int) -> None:
    lines = f"before\n{PEM}after\nMIIEabc\n".encode().splitlines(keepends=True)
    keys, kept = KeyLines(), b""
    for start in range(0, len(lines), size):
        kept += keys.without_keys(b"".join(lines[start : start + size]))
    assert kept == b"before\n[redacted key]\nafter\nMIIEabc\n"


def test_the_mere_mention_of_a_key_hides_nothing_that_follows() -> None:
    mention = PEM.splitlines()[0]
    lines = f'{{"text": "it begins with {mention}"}}\n{{"type": "result"}}\n'.encode()
    assert KeyLines().without_keys(lines) == lines
    assert Redactor({}).clean(lines).endswith(b'"}\n{"type": "result"}\n')
    keys = KeyLines()
    assert keys.without_keys(f"{mention}\n".encode()) + keys.without_keys(b'{"type": "result"}\n') == (
        b'[redacted key]\n{"type": "result"}\n'
    )


def test_a_private_key_in_one_line_of_json_is_taken_out() -> None:
    found = cleaned(Redactor({}), json.dumps({"text": f"x {PEM} y"}))
    assert "MIIE" not in found and found.endswith('y"}')
