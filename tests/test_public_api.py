"""The public face: exactly these names, each documented."""

import agentkit


def test_every_public_name_exists_and_is_documented() -> None:
    for name in agentkit.__all__:
        assert getattr(agentkit, name).__doc__, name


def test_public_names_are_sorted_and_few() -> None:
    assert agentkit.__all__ == sorted(agentkit.__all__)
    assert len(agentkit.__all__) <= 25


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(agentkit, "no_such_name")
