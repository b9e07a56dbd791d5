"""What a family of long tests keeps for every run; the rest of the family is in the proofs (pytest -m proof)."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_of(*values: Any) -> list[Any]:
    """The values of a parametrized test: the first in every run, the others in the proofs."""
    return [values[0], *proofs(values[1:])]


def table(values: Iterable[Any]) -> list[Any]:
    """Values of a large table, which only `pytest -m table` tries."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=[pytest.mark.proof, pytest.mark.table])
        for value in values
    ]


def proofs(values: Iterable[Any]) -> list[Any]:
    """Values that are tried in the proofs alone."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.proof) for value in values
    ]
