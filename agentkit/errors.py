"""The one tree of errors. The class says who erred; the sentence says what, where and what to do.

AgentkitError
├── ConfigError                 you: something named or written wrongly
│   ├── GraphError              a graph file; carries every Problem found, with file, line and column
│   ├── TemplateError           a prompt template that cannot be read or filled
│   ├── UnknownComponentError   a name that nothing is registered under
│   ├── DuplicateComponentError two registrations of one name
│   ├── PluginError             a plugin that cannot be loaded
│   ├── MissingExtraError       an optional dependency is not installed
│   ├── InputError              a missing or wrong input, file or folder
│   │   └── PDDLError           a planning domain or problem that cannot be used, with line and column
│   └── IndexNotFoundError      no document index of that name
├── ModelError                  the provider; ``retryable`` says whether another try can help
│   ├── RateLimitError          429; carries ``retry_after`` seconds where the provider said so
│   ├── ModelTimeoutError       no answer within the deadline
│   ├── ModelUnreachableError   no connection
│   │   └── CircuitOpenError    it failed too often in a row and is left alone for a while
│   ├── ServerError             5xx, a broken stream or an unreadable answer
│   ├── RequestRefusedError     400, 404, 422: the request itself is wrong
│   ├── AuthenticationError     401, 403, or no key
│   ├── ContextWindowError      the prompt does not fit
│   └── WeightsError            weights missing, corrupt or not to be had
├── ToolError                   a tool failed
├── BudgetExceededError         the budget is spent; ``best_so_far`` may hold a Solution
├── StoreError                  disk full, folder read-only, database locked or written by a newer release
├── ReplayMissError             a cassette or journal lacks a response that a replay needs
├── NodeError                   a node failed; carries the node's name, caused by the error it raised
├── RunCancelledError           the run was interrupted; says what was kept
└── EvaluationError             an evaluation could not be carried out
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the known name closest to ``name``, or the empty string."""
    close = get_close_matches(name, [str(one) for one in known], n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


class AgentkitError(Exception):
    """The root: catch this to catch everything agentkit raises on purpose. ``exit_code`` is the command line's."""

    exit_code: ClassVar[int] = 1


class ConfigError(AgentkitError):
    """Something the user wrote or named is wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where (1-based line and column), the path inside the document, and what."""

    file: str
    line: int
    column: int
    path: str
    message: str
    code: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class GraphError(ConfigError):
    """A graph file that cannot be used; ``problems`` lists everything found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TemplateError(ConfigError):
    """A prompt template that cannot be read or filled; ``line`` and ``column`` (1-based) are places in the template."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        super().__init__(message)


class UnknownComponentError(ConfigError):
    """Nothing is registered under this name."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        hint = did_you_mean(name, known)
        super().__init__(f"no {kind} is named {name!r}{hint} (known: {', '.join(known) or 'none'})")


class DuplicateComponentError(ConfigError):
    """Two registrations of the same kind and name."""


class PluginError(ConfigError):
    """A plugin could not be imported or did not register; the rest of the program goes on without it."""

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin, self.reason = plugin, reason
        super().__init__(f"plugin {plugin!r} was skipped: {reason}")


class MissingExtraError(ConfigError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{purpose} needs the package {package!r}: pip install 'agentkit[{extra}]'")


class InputError(ConfigError):
    """An input, file or folder is missing or wrong; ``problems`` lists what was found inside a file, in file order."""

    def __init__(self, message: str = "", *, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message or "\n".join(str(problem) for problem in self.problems))


class PDDLError(InputError):
    """A planning domain or problem that cannot be used; ``line`` and ``column`` (1-based) are places in its text."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        super().__init__(message)


class IndexNotFoundError(ConfigError):
    """No document index of that name."""


class ModelError(AgentkitError):
    """The provider or the backend failed. ``retryable`` says whether another try can help."""

    exit_code = 3
    retryable: ClassVar[bool] = False


class RateLimitError(ModelError):
    """The provider asks to slow down; ``retry_after`` is in seconds, None where it did not say."""

    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ModelTimeoutError(ModelError):
    """No answer within the deadline."""

    retryable = True


class ModelUnreachableError(ModelError):
    """No connection to the server."""

    exit_code = 2
    retryable = True


class CircuitOpenError(ModelUnreachableError):
    """The model failed too often in a row and is not asked for ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ServerError(ModelError):
    """The server failed, broke off, or sent something unreadable; ``retry_after`` as for a rate limit."""

    retryable = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class RequestRefusedError(ModelError):
    """The request itself is wrong: another try would be refused again."""


class AuthenticationError(ModelError):
    """The key is missing, wrong or not allowed to do this."""

    exit_code = 2


class ContextWindowError(ModelError):
    """The prompt and the wanted tokens do not fit the model's context window."""


class WeightsError(ModelError):
    """Model weights are missing, corrupt or cannot be fetched."""

    exit_code = 2


class ToolError(AgentkitError):
    """A tool failed or was called wrongly."""


class BudgetExceededError(AgentkitError):
    """A budget is spent. ``resource`` is calls, tokens, usd or seconds; ``best_so_far`` what was reached, if anything.

    ``owner`` names the part of the run whose budget it is: the run itself, a node, a branch.
    """

    exit_code = 4

    def __init__(self, message: str, *, resource: str = "", owner: str = "", best_so_far: Any = None) -> None:
        self.resource, self.owner, self.best_so_far = resource, owner, best_so_far
        super().__init__(message)


class StoreError(AgentkitError):
    """A file could not be written or read: disk full, folder read-only, database locked, newer format."""

    exit_code = 5


class ReplayMissError(AgentkitError):
    """A replay needs a response that was not recorded."""


class NodeError(AgentkitError):
    """A node failed; ``node`` is its name and ``__cause__`` the error it raised."""

    def __init__(self, node: str, cause: BaseException) -> None:
        self.node = node
        self.exit_code = getattr(cause, "exit_code", 1)  # type: ignore[misc]
        super().__init__(f"node {node!r}: {str(cause) or type(cause).__name__}")


class RunCancelledError(AgentkitError):
    """The run was interrupted; what was finished is kept."""

    exit_code = 130


class EvaluationError(AgentkitError):
    """An evaluation could not be carried out."""
