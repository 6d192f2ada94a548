"""The crash matrix takes minutes: it runs when it is asked for, ``make test-chaos`` or ``pytest -m chaos``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in (config.getoption("-m") or ""):
        return
    for item in items:
        if item.get_closest_marker("chaos"):
            item.add_marker(pytest.mark.skip(reason="the crash matrix runs with `make test-chaos`"))
