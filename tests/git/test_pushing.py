"""What the output of a push says of a second try."""

import pytest

from runner.git.pushing import is_permanent_failure

REF = "refs/heads/main:refs/heads/main"


@pytest.mark.parametrize(
    ("output", "is_permanent"),
    [
        (f"!\t{REF}\t[rejected] (stale info)", False),
        (f"!\t{REF}\t[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)", False),
        (f"!\t{REF}\t[remote rejected] (incorrect old value provided)", False),
        (f"remote: error: cannot lock ref\n!\t{REF}\t[remote rejected] (atomic transaction failed)", False),
        (f"!\t{REF}\t[remote rejected] (hook declined)", True),
        (f"!\t{REF}\t[remote rejected] (atomic push failure)\n!\t{REF}\t[remote rejected] (hook declined)", True),
        (f"!\t{REF}\t[remote rejected] (protected branch hook declined)", True),
        ("fatal: unable to access 'https://git.example/': The requested URL returned error: 403", True),
        ("fatal: unable to access 'https://git.example/': Could not resolve host: git.example", False),
    ],
)  # fmt: skip
def test_a_lost_race_is_tried_again_and_a_rule_of_the_branch_is_not(output: str, *, is_permanent: bool) -> None:
    assert is_permanent_failure(output) is is_permanent
