"""Whether the token is of the workspace that msgrun.yaml and the ledger name: every run asks it, and doctor.

Each function returns what is wrong and what to do about it, or None.
"""

from shlex import join

import click

from runner.cli.options import GlobalOptions
from runner.declare.settings import SETTINGS_FILE
from runner.errors import Refusal
from runner.intercom.client import HOSTS
from runner.sandbox import SANDBOX_WORKSPACE_ID


def find_workspace_fault(id_code: str, declared: str, of_ledger: str) -> Refusal | None:
    """Compares the workspace with the declared one and with that of the ledger; each of these two may be empty."""
    if id_code == SANDBOX_WORKSPACE_ID:
        arguments = click.get_current_context().ensure_object(GlobalOptions).arguments
        message = "INTERCOM_BASE_URL is the address of a sandbox, not of Intercom"
        return Refusal(message, f"to use the sandbox: {join(['msgrun', '--sandbox', *arguments])}")
    if declared not in {"", id_code}:
        hint = "use the other workspace's token, or another environment (-e)"
        return Refusal(f"the token is of workspace {id_code}, and {SETTINGS_FILE} names {declared}", hint)
    if of_ledger not in {"", id_code}:
        hint = (
            f"use a token of {of_ledger}; or give {id_code} an environment of its own in {SETTINGS_FILE}, such as"
            f" environments: {{trial: {{workspace: {id_code}}}}}, and pass -e trial"
        )
        return Refusal(f"the token is of workspace {id_code}, and the ledger belongs to {of_ledger}", hint)
    return None


def find_region_fault(region: str, declared: str) -> Refusal | None:
    """Compares the region of the workspace with the declared one. An unknown region is not a fault."""
    if region not in HOSTS or region == declared:
        return None
    hint = f"write region: {region} into {SETTINGS_FILE}, or use the other workspace's token"
    return Refusal(f"the workspace is in region {region}, and {SETTINGS_FILE} says {declared}", hint)
