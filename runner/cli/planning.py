"""What plan and apply share: their options, and making the plan."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from runner.cli.context import RENDER_WATCH, Context
from runner.cli.progress_line import PlanningProgress
from runner.cli.worker_pool import create_worker_pool
from runner.declare.project import Project
from runner.errors import Problem, ProblemsFound
from runner.ledger.facts import Facts
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan, make_plan


def shared_plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that plan and apply share, handed over as one Choices."""

    @functools.wraps(function)
    def wrapped(**kwargs: Any) -> Any:
        names = ("limit", "retry_refused", "allow_repeat", "allow_readdress", "expect", "confirm_recipients")
        chosen = PlanOptions(**{name: kwargs.pop(name) for name in names})
        return function(plan_options=chosen, **kwargs)

    for option in (
        click.option(
            "--allow-readdress", is_flag=True, help="Allow another kind of address for a message that was sent."
        ),
        click.option("--allow-repeat", is_flag=True, help="Allow a text that its recipients got under another name."),
        click.option("--retry-refused", is_flag=True, help="Send again what Intercom refused."),
        click.option(
            "--confirm-recipients", type=click.IntRange(0), metavar="N", help="Refuse to send to more than N."
        ),
        click.option("--expect", metavar="DIGEST", help="Refuse unless this is the plan's digest."),
        click.option(
            "--limit", type=click.IntRange(1), metavar="N", help="Send the first N, and leave the rest for next time."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def plan_project(context: Context, project: Project, facts: Facts, choices: PlanOptions) -> tuple[Plan, list[Problem]]:
    """The plan and the warnings of its files; problems of recipients end the command. Raises ProblemsFound."""
    counting = PlanningProgress(context.output)
    crew = create_worker_pool(context.options.jobs, RENDER_WATCH)
    made, problems = make_plan(
        project, facts, context.now, replace(choices, sandbox=context.options.sandbox), crew, counting
    )
    counting.clear()
    every = [*project.problems, *problems]
    if any(problem.is_error for problem in every):
        raise ProblemsFound(every)
    return made, every
