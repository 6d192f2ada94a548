"""Planning tasks in PDDL and plans for them: read, check, explain. No third-party library, no chance.

STRIPS with types, constants, negative preconditions, equality, ``or imply forall exists``, conditional effects, numbers
and costs.
"""

from agentkit.pddl.checking import Code, Fault, Outcome, Verdict, check, explain
from agentkit.pddl.plans import Plan, Written, read_plan
from agentkit.pddl.reading import parse_domain, parse_problem
from agentkit.pddl.solving import Solvability, shortest_plan, solvability
from agentkit.pddl.syntax import Domain, Problem
from agentkit.pddl.task import Task, load_task

__all__ = [
    "Code",
    "Domain",
    "Fault",
    "Outcome",
    "Plan",
    "Problem",
    "Solvability",
    "Task",
    "Verdict",
    "Written",
    "check",
    "explain",
    "load_task",
    "parse_domain",
    "parse_problem",
    "read_plan",
    "shortest_plan",
    "solvability",
]
