"""How many messages a contact gets within a time, as msgrun.yaml declares it."""

from datetime import timedelta

import pytest

from runner.declare.settings import load_settings
from runner.errors import ProblemsFound

ENVIRONMENTS = """\
frequency: {max: 1, per: 7d}
environments:
  trial: {frequency: {max: 10, per: 24h}}
"""


def test_an_environment_may_have_its_own(write):
    tree = write({"msgrun.yaml": ENVIRONMENTS})
    frequency, trial = load_settings(tree, None).frequency, load_settings(tree, "trial").frequency
    assert (str(frequency), frequency.period) == ("1 message in 7 days", timedelta(days=7))
    assert (str(trial), trial.period) == ("10 messages in 24 hours", timedelta(hours=24))


@pytest.mark.parametrize(
    ("frequency", "code", "hint"),
    [
        ("{max: 0, per: 7d}", "frequency-form", "a number from 1 to 1000"),
        ("{max: many, per: 7d}", "wrong-type", ""),
        ("{max: 1, per: 0d}", "frequency-form", "7d or 24h"),
        ("{max: 1, per: 7}", "wrong-type", ""),
        ("{max: 1, per: 7w}", "frequency-form", "7d or 24h"),
        ("{max: 1}", "missing-key", ""),
    ],
)
def test_a_wrong_one_is_a_problem(write, frequency, code, hint):
    with pytest.raises(ProblemsFound) as raised:
        load_settings(write({"msgrun.yaml": f"frequency: {frequency}\n"}), None)
    (problem,) = raised.value.problems
    assert (problem.code, hint in problem.hint) == (code, True), problem
