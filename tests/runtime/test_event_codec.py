"""Events as JSON: what comes back equals what went in, and anything else is refused."""

import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.events import Event, NodeFinished, Scope
from agentkit.runtime.codec import dumps
from agentkit.runtime.event_codec import KINDS, decode_event, encode_event

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FLOATS = st.floats(allow_nan=False)
st.register_type_strategy(float, FLOATS)
SCOPES = st.builds(Scope, run=st.just("r"), node=st.text(max_size=5), visit=st.integers(0, 9), path=st.text(max_size=5))


def values(hint: typing.Any) -> st.SearchStrategy:
    """Values of an annotation; plain data where it says Any."""
    if hint is typing.Any:
        return PLAIN
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin is not None and isinstance(origin, type) and issubclass(origin, typing.Mapping):  # type: ignore[arg-type]
        return st.dictionaries(st.text(max_size=5), values(members[1]), max_size=3)
    if origin is tuple:
        return st.lists(values(members[0]), max_size=3).map(tuple)
    if members and type(None) in members:
        return st.none() | values(next(one for one in members if one is not type(None)))
    if hasattr(hint, "__dataclass_fields__"):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{name: values(one) for name, one in hints.items()})
    return st.from_type(hint)


def events(kind: type[Event]) -> st.SearchStrategy:
    hints = {name: one for name, one in typing.get_type_hints(kind).items() if name != "scope"}
    return st.builds(kind, scope=SCOPES, **{name: values(one) for name, one in hints.items()})


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_comes_back_equal(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    written = json.loads(dumps(encode_event(event)))
    assert decode_event(kind.__name__, written, event.scope) == event


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("Strange", {}),
        ("__class__", {}),
        ("NodeStarted", []),
        ("NodeStarted", {"use": 3}),
        ("NodeStarted", {"use": "set", "module": "os"}),
        ("VoteCast", {"answer": "4", "counts": {"4": True}, "wanted": 1}),
        ("RunFinished", {"status": "happy", "output": {}, "usage": {}, "seconds": 1}),
        ("FindingMade", {"finding": ["x"]}),
    ],
)
def test_what_is_no_event_is_refused(kind: str, data: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_event(kind, data, Scope())


def test_fields_at_their_defaults_take_no_room() -> None:
    event = NodeFinished(use="set", outputs={}, seconds=0.5)
    assert encode_event(event) == {"use": "set", "outputs": {}, "seconds": 0.5}
