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
    register("deepconf", lazy("agentkit.strategies.deepconf:DeepConf"))
    register("tree_of_thought", lazy("agentkit.strategies.tree_of_thought:TreeOfThought"))
    register("monte_carlo_tree_search", lazy("agentkit.strategies.monte_carlo_tree_search:MonteCarloTreeSearch"))
    register("beam_search", lazy("agentkit.strategies.beam_search:BeamSearch"))
    register("best_of_n", lazy("agentkit.strategies.best_of_n:BestOfN"))
    register(
        "universal_self_consistency",
        lazy("agentkit.strategies.universal_self_consistency:UniversalSelfConsistency"),
    )
    register("self_refine", lazy("agentkit.strategies.self_refine:SelfRefine"))
    register("decomposed_vote", lazy("agentkit.strategies.decomposed_vote:DecomposedVote"))
    register("plan_and_solve", lazy("agentkit.strategies.plan_and_solve:PlanAndSolve"))
    register("step_back", lazy("agentkit.strategies.step_back:StepBack"))
    register("least_to_most", lazy("agentkit.strategies.least_to_most:LeastToMost"))
    register("reflexion", lazy("agentkit.strategies.reflexion:Reflexion"))
    register("constitutional_critique", lazy("agentkit.strategies.constitutional_critique:ConstitutionalCritique"))
    register("mixture_of_agents", lazy("agentkit.strategies.mixture_of_agents:MixtureOfAgents"))
    register("budget_forcing", lazy("agentkit.strategies.budget_forcing:BudgetForcing"))
    register("validated_plan", lazy("agentkit.strategies.validated_plan:ValidatedPlan"))
    register("codet", lazy("agentkit.strategies.codet:Codet"))


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
    register(
        "unsupported_propagation",
        lazy("agentkit.evaluators.hallucination.unsupported_propagation:UnsupportedPropagation"),
    )
    register("citations", lazy("agentkit.evaluators.hallucination.citations:Citations"))
    register("short_fact", lazy("agentkit.evaluators.hallucination.short_fact:ShortFact"))
    register("capability_claims", lazy("agentkit.evaluators.hallucination.capability_claims:CapabilityClaims"))
    register("self_check", lazy("agentkit.evaluators.hallucination.self_check:SelfCheck"))
    register("semantic_entropy", lazy("agentkit.evaluators.hallucination.semantic_entropy:SemanticEntropy"))
    register("reasoning_steps", lazy("agentkit.evaluators.planning.reasoning_steps:ReasoningSteps"))
    register("verifier", lazy("agentkit.models.verifier:Verifier"))
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
    register("environment", lazy("agentkit.tools.environment:EnvironmentTools"))


@hookimpl
def register_environments(register: Register) -> None:
    """Worlds to act in, judged at every step."""
    register("running_sum", lazy("agentkit.environments.running_sum:RunningSum"))
    register("tower_of_hanoi", lazy("agentkit.environments.tower_of_hanoi:TowerOfHanoi"))
    register("blocksworld", lazy("agentkit.environments.blocksworld:Blocksworld"))
    register("logistics", lazy("agentkit.environments.logistics:Logistics"))
    register("river_crossing", lazy("agentkit.environments.river_crossing:RiverCrossing"))
    register("game24", lazy("agentkit.environments.game24:Game24"))
    register("scan", lazy("agentkit.environments.scan:Scan"))
    register("letters_and_lists", lazy("agentkit.environments.letters_and_lists:LettersAndLists"))
    register("retail", lazy("agentkit.environments.retail.retail:Retail"))
    register("vending", lazy("agentkit.environments.vending.vending:Vending"))
