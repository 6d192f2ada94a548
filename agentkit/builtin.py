"""What agentkit ships, registered by the same hooks as a stranger's plugin. Everything is lazy: naming costs nothing."""

from __future__ import annotations

from agentkit.hookspecs import Register, hookimpl
from agentkit.registry import lazy


@hookimpl
def register_models(register: Register) -> None:
    """Backends."""
    register("local", lazy("agentkit.models.local:Local"))
    register("litellm", lazy("agentkit.models.litellm:LiteLLM"))
    register("openai_http", lazy("agentkit.models.openai_http:OpenAIHTTP"))
    register("replay", lazy("agentkit.models.replay:Replay"))
    register("vllm", lazy("agentkit.models.vllm:VLLM"))
    register("transformers", lazy("agentkit.models.transformers:Transformers"))
    register("cascade", lazy("agentkit.models.cascade:Cascade"))
    register("balance", lazy("agentkit.models.balance:Balance"))


@hookimpl
def register_strategies(register: Register) -> None:
    """Test-time compute."""
    register("chain_of_thought", lazy("agentkit.strategies.chain_of_thought:ChainOfThought"))
    register("self_consistency", lazy("agentkit.strategies.self_consistency:SelfConsistency"))
    register("tree_of_thought", lazy("agentkit.strategies.tree_of_thought:TreeOfThought"))
    register("best_of_n", lazy("agentkit.strategies.best_of_n:BestOfN"))
    register(
        "universal_self_consistency",
        lazy("agentkit.strategies.universal_self_consistency:UniversalSelfConsistency"),
    )
    register("self_refine", lazy("agentkit.strategies.self_refine:SelfRefine"))
    register("budget_forcing", lazy("agentkit.strategies.budget_forcing:BudgetForcing"))
    register("validated_plan", lazy("agentkit.strategies.validated_plan:ValidatedPlan"))


@hookimpl
def register_retrievers(register: Register) -> None:
    """Finding passages."""
    register("hybrid", lazy("agentkit.rag.retrieve:Hybrid"))
    register("lexical", lazy("agentkit.rag.retrieve:Lexical"))
    register("dense", lazy("agentkit.rag.retrieve:Dense"))


@hookimpl
def register_rag(register: Register) -> None:
    """Steps around retrieval."""
    register("cite", lazy("agentkit.rag.cite:Cite"))


@hookimpl
def register_evaluators(register: Register) -> None:
    """Judging."""
    register("groundedness", lazy("agentkit.evaluators.hallucination.groundedness:Groundedness"))
    register("citations", lazy("agentkit.evaluators.hallucination.citations:Citations"))
    register("short_fact", lazy("agentkit.evaluators.hallucination.short_fact:ShortFact"))
    register("capability_claims", lazy("agentkit.evaluators.hallucination.capability_claims:CapabilityClaims"))
    register("self_check", lazy("agentkit.evaluators.hallucination.self_check:SelfCheck"))
    register("semantic_entropy", lazy("agentkit.evaluators.hallucination.semantic_entropy:SemanticEntropy"))
    register("reasoning_steps", lazy("agentkit.evaluators.planning.reasoning_steps:ReasoningSteps"))
    register("answer_match", lazy("agentkit.evaluators.answer_match:AnswerMatch"))
    register("plan_validity", lazy("agentkit.evaluators.planning.plan_validity:PlanValidity"))
    register("tool_calls", lazy("agentkit.evaluators.planning.tool_calls:ToolCalls"))
    register("plan_adherence", lazy("agentkit.evaluators.planning.plan_adherence:PlanAdherence"))
    register("redundancy", lazy("agentkit.evaluators.planning.redundancy:Redundancy"))
    register("repeated_state", lazy("agentkit.evaluators.planning.repeated_state:RepeatedState"))
    register("goal_drift", lazy("agentkit.evaluators.planning.goal_drift:GoalDrift"))
    register("failure_attribution", lazy("agentkit.evaluators.planning.failure_attribution:FailureAttribution"))


@hookimpl
def register_tools(register: Register) -> None:
    """What a model or a graph can call."""
    register("calculator", lazy("agentkit.tools.calculator:Calculator"))
    register("http", lazy("agentkit.tools.http:Http"))
    register("mcp", lazy("agentkit.tools.mcp:Mcp"))
    register("python_sandbox", lazy("agentkit.tools.python_sandbox:PythonSandbox"))
