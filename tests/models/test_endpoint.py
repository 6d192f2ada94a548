"""Every answer that is no completion becomes one class of error and one sentence."""

import base64
import json
from pathlib import Path

import pytest

from agentkit.errors import (
    AuthenticationError,
    ContextWindowError,
    ModelError,
    ModelTimeoutError,
    RateLimitError,
    RequestRefusedError,
    ServerError,
)
from agentkit.models.endpoint import Endpoint, message_of, retry_after, server_of

HOST = Endpoint(server="http://host:8000", model="m")
RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (307, RequestRefusedError, False),
        (400, RequestRefusedError, False),
        (401, AuthenticationError, False),
        (403, AuthenticationError, False),
        (404, RequestRefusedError, False),
        (408, ModelTimeoutError, True),
        (422, RequestRefusedError, False),
        (429, RateLimitError, True),
        (500, ServerError, True),
        (502, ServerError, True),
        (503, ServerError, True),
        (529, ServerError, True),
    ],
)
def test_each_status_has_its_class(status: int, kind: type[ModelError], retryable: bool) -> None:
    error = HOST.refusal(status, '{"error": {"message": "said so"}}')
    assert type(error) is kind
    assert error.retryable is retryable
    assert "http://host:8000" in str(error)
    assert "said so" in str(error)


@pytest.mark.parametrize(
    ("name", "kind"), [("llama_cpp_too_long", ContextWindowError), ("llama_cpp_bad_request", RequestRefusedError)]
)
def test_recorded_refusals_of_llama_cpp(name: str, kind: type[ModelError]) -> None:
    body = (RECORDED / f"{name}.json").read_text()
    error = HOST.refusal(400, body)
    assert type(error) is kind
    assert json.loads(body)["error"]["message"] in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "the request exceeds the available context size",
    ],
)
def test_a_prompt_that_does_not_fit_is_told_apart(message: str) -> None:
    assert type(HOST.refusal(400, json.dumps({"error": {"message": message}}))) is ContextWindowError


def test_no_credit_left_is_not_worth_another_try() -> None:
    error = HOST.refusal(429, '{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}')
    assert type(error) is AuthenticationError


def test_a_refused_key_and_a_missing_key_are_two_things() -> None:
    assert "wants an API key" in str(HOST.refusal(401, ""))
    assert "refused the API key" in str(Endpoint(server="s", model="m", keyed=True).refusal(401, ""))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 90.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:01:30 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_seconds_by_the_servers_own_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_the_wait_is_carried_and_said() -> None:
    error = HOST.refusal(429, "", {"retry-after": "7"})
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 7.0
    assert "wait 7 s" in str(error)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "m"}}', "m"),
        ('{"error": "m"}', "m"),
        ('{"message": "m"}', "m"),
        ('{"detail": "m"}', "m"),
        ('{"detail": [{"loc": ["body"], "msg": "m"}]}', '[{"loc": ["body"], "msg": "m"}]'),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_the_message_is_found_in_every_form_in_use(body: str, message: str) -> None:
    assert message_of(body) == message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m", "code": 429}, RateLimitError),
        ({"message": "m", "code": "rate_limit_exceeded"}, RateLimitError),
        ({"message": "m", "type": "invalid_request_error"}, RequestRefusedError),
        ({"message": "maximum context length exceeded"}, ContextWindowError),
        ({"message": "the engine died"}, ServerError),
        ("dead", ServerError),
    ],
)
def test_an_error_inside_a_200_has_its_class(error: object, kind: type[ModelError]) -> None:
    assert type(HOST.reported(error)) is kind


def test_a_message_is_one_short_line_without_control_characters() -> None:
    said = HOST.clean("\x1b[31mred\x07\r\nnext" + "x" * 1000)
    assert said.startswith("[31mred next")
    assert len(said) < 310


def test_the_key_is_cut_from_what_the_server_says_in_every_encoding() -> None:
    key = "canary/key+12345"
    forms = [key, "canary%2Fkey%2B12345", base64.b64encode(key.encode()).decode()]
    endpoint = Endpoint(server="s", model="m", keyed=True, secrets=(key,))
    said = str(endpoint.refusal(401, f"wrong key: {' and '.join(forms)}"))
    assert not any(form in said for form in forms)
    assert key not in repr(endpoint)


def test_an_address_is_shown_without_a_password() -> None:
    assert server_of("https://me:secret@host:8000/v1?key=x") == "https://host:8000"
