"""Secrets are struck out in every spelling; ordinary text stays as it is."""

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.runtime.redact import MASK, Redactor, Tail, redact, secrets_in

CANARY = "sk-canary/12+34=56?абв"


@pytest.mark.parametrize(
    "spelled",
    [
        CANARY,
        quote(CANARY),
        quote(CANARY, safe=""),
        quote_plus(CANARY),
        re.sub("%..", lambda escape: escape[0].lower(), quote_plus(CANARY)),
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1],
        CANARY.encode().hex(),
        CANARY.encode().hex().upper(),
    ],
)
def test_a_known_key_is_struck_out_in_any_spelling(spelled: str) -> None:
    found = Redactor([CANARY], shapes=False)(f"before {spelled} after")
    assert MASK in found
    assert "12" not in found


@given(st.binary(max_size=5), st.binary(max_size=5), st.booleans())
def test_a_known_key_is_struck_out_wherever_it_stands_in_base64(before: bytes, after: bytes, url: bool) -> None:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    found = Redactor([CANARY], shapes=False)(encode(before + CANARY.encode() + after).decode())
    assert MASK in found
    assert len(found) - len(MASK) <= len(before + after) * 4 / 3 + 8


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        '{"authorization": "Basic dXNlcjpwYXNzd29yZA=="}',
        "OPENAI_API_KEY=abc12345678",
        "https://user:hunter22@example.org/simple",
        "sk-proj-abc123def456ghi789",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_is_shaped_like_a_key_is_struck_out(text: str) -> None:
    assert MASK in redact(text)
    assert not set(redact(text).split()) & set(text.split()[-1:])


@pytest.mark.parametrize(
    "text",
    [
        "The bearer of good news came on foot.",
        "Your password: required, at least eight characters.",
        "sk-learn-and-pandas-for-everyone is a tutorial",
        "The keyword argument key=value sets the token limit to 4096 tokens.",
        "https://example.org:8080/path?q=1",
        "hf_tokenizer_for_long_documents",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_keys_are_found_in_the_environment_by_name_and_by_shape() -> None:
    environ = {
        "OPENAI_API_KEY": "one-secret-value",
        "HF_TOKEN": "two-secret-value",
        "DB_PASSWORD": "three-secret",
        "INDEX_URL": "https://user:four-secret@host/simple",
        "NOTES": "sk-abcdefgh1234567890",
        "GIT_AUTHOR_NAME": "Ada Lovelace",
        "SSH_AUTH_SOCK": "/run/agent.sock",
        "MAX_TOKENS": "16000000",
        "TOKENIZERS_PARALLELISM": "false",
        "SHORT_KEY": "abc",
        "PATH": "/usr/bin",
    }
    assert secrets_in(environ) == (
        "one-secret-value",
        "two-secret-value",
        "three-secret",
        "four-secret",
        "sk-abcdefgh1234567890",
    )


def test_data_is_redacted_through_and_through() -> None:
    data = {"api_key": "short", "a": [{"b": f"x{CANARY}"}, 1, None], CANARY: True, "n": 2.5}
    assert Redactor([CANARY]).data(data) == {"api_key": MASK, "a": [{"b": f"x{MASK}"}, 1, None], MASK: True, "n": 2.5}


def test_without_shapes_only_known_secrets_go() -> None:
    only = Redactor(["known-secret"], shapes=False)
    assert only("known-secret api_key=abc12345678") == f"{MASK} api_key=abc12345678"
    assert only.data({"password": "x"}) == {"password": "x"}


@given(st.text(), st.text(), st.lists(st.integers(1, 9), min_size=1))
def test_a_secret_is_struck_out_however_the_stream_cuts_it(before: str, after: str, sizes: list[int]) -> None:
    secret = "canary-4711-abcdef"
    text, pieces, place = f"{before}{secret}{after}", [], 0
    while place < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[place : place + size])
        place += size
    redactor = Redactor([secret], shapes=False)
    tail = Tail(redactor)
    assert "".join([*map(tail.feed, pieces), tail.end()]) == redactor(text)


def test_text_that_cannot_be_a_secret_is_not_held_back() -> None:
    tail = Tail(Redactor(["canary-4711-abcdef"], shapes=False))
    assert [tail.feed(piece) for piece in ("Hello ", "cana", "da", " can")] == ["Hello ", "", "canada", " "]
    assert tail.end() == "can"
