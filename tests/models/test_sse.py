"""Server-sent events come out the same however the network cut them."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.models.sse import EventStream

STREAM = 'data: {"a": "Привет 😀"}\r\n\r\n: a comment\n\nevent: x\nid: 7\ndata: one\ndata: two\n\n\n\ndata:[DONE]\n\n'.encode()
EVENTS = ['{"a": "Привет 😀"}', "one\ntwo", "[DONE]"]


def events_of(pieces: list[bytes]) -> list[str]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)] + stream.end()


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_cut_of_the_bytes_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    assert events_of(pieces) == EVENTS


def test_a_stream_that_ends_without_an_empty_line_still_gives_its_last_event() -> None:
    assert events_of([b"data: last"]) == ["last"]


def test_bytes_that_are_not_utf8_are_replaced_rather_than_fatal() -> None:
    assert events_of([b"data: \xff\xfe\n\n"]) == ["��"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    events_of([data])


def test_a_recorded_stream_of_llama_cpp_has_its_events() -> None:
    data = (Path(__file__).parent / "recorded/llama_cpp_stream.sse").read_bytes()
    events = events_of([data])
    assert len(events) == data.count(b"data: ")
    assert events[-1] == "[DONE]"
