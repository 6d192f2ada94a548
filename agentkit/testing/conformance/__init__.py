"""Does a component keep its contract? One ``check_X(make_X)`` a kind: it raises ``AssertionError`` with a sentence, or returns.

``make_X`` is called anew for each check, so that nothing is carried from one to the next. Each check has a minute (the
argument ``seconds``), so a component that hangs fails rather than hold the tests.
"""

from agentkit.testing.conformance.environments import check_environment
from agentkit.testing.conformance.evaluators import check_evaluator
from agentkit.testing.conformance.models import check_model
from agentkit.testing.conformance.retrievers import check_retriever
from agentkit.testing.conformance.strategies import check_strategy

__all__ = ["check_environment", "check_evaluator", "check_model", "check_retriever", "check_strategy"]
