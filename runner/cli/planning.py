"""Shared by plan and apply: their options, and making the plan."""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from runner.cli.context import Context
from runner.cli.progress import PlanningProgress
from runner.cli.worker_pool import create_worker_pool
from runner.declare.project import Project
from runner.errors import Problem, ProblemsFound
from runner.ledger.facts import Facts
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan, make_plan

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>


def shared_plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that plan and apply share. The command gets them as one PlanOptions, `plan_options`."""

    @functools.wraps(function)
    def with_options(**kwargs: Any) -> Any:
        names = ("limit", "retry_refused", "allow_repeat", "allow_readdress", "expect", "confirm_recipients")
        plan_options = PlanOptions(**{name: kwargs.pop(name) for name in names})
        return function(plan_options=plan_options, **kwargs)

    for option in (
        click.option(
            "--allow-readdress",
            is_flag=True,
            help="Allow that a sent message now has e.g. emails in place of ids: a person may get it twice.",
        ),
        click.option(
            "--allow-repeat",
            is_flag=True,
            help="Send a text again that its recipients got as a message of another name.",
        ),
        click.option("--retry-refused", is_flag=True, help="Send again what Intercom refused."),
        click.option(
            "--confirm-recipients",
            type=click.IntRange(0),
            metavar="N",
            help="Refuse to send to more than N recipients.",
        ),
        click.option(
            "--expect", metavar="DIGEST", help="Refuse unless the plan has this digest, e.g. that of a review."
        ),
        click.option(
            "--limit", type=click.IntRange(1), metavar="N", help="Send the first N, and leave the rest for next time."
        ),
    ):
        with_options = option(with_options)
    return with_options


def set_malloc_threshold() -> None:
    """Makes glibc return freed blocks of 1 MiB or more to the system, whatever was freed before.

    By default glibc raises that size with every such block that is freed (mallopt(3), M_MMAP_THRESHOLD). A table that
    grew step by step would then leave freed memory of its own size in the process. Without glibc this does nothing.
    """
    import ctypes  # noqa: PLC0415  # saves 2 ms in accept and adopt

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


def check_plan(context: Context, paths: tuple[str, ...]) -> None:
    """Loads the project and renders all deliveries, as a plan does. Raises what loading a valid project raises.

    Problems of recipients are left to the plan itself, which comes after the checks of the ledger.
    """
    project = context.load_valid_project(paths)
    pool = create_worker_pool(context.options.jobs)
    make_plan(project, Facts(), context.now, PlanOptions(), pool, PlanningProgress(context.output))


def plan_project(context: Context, project: Project, facts: Facts, options: PlanOptions) -> tuple[Plan, list[Problem]]:
    """Plans a project. Returns the plan and its warnings. Raises ProblemsFound if there is an error."""
    progress = PlanningProgress(context.output)
    pool = create_worker_pool(context.options.jobs)
    plan, recipient_problems = make_plan(
        project, facts, context.now, replace(options, sandbox=context.options.sandbox), pool, progress
    )
    progress.clear()
    all_problems = [*project.problems, *recipient_problems]
    if any(problem.is_error for problem in all_problems):
        raise ProblemsFound(all_problems)
    return plan, all_problems
