"""A condition is true or false, and a value that is missing is never compared."""

from __future__ import annotations

import pytest
from jinja2.sandbox import safe_range

from runner.declare.template.condition import compile_condition
from runner.declare.template.language import TemplateFault
from runner.declare.template.render_monitor import RenderMonitor, RenderTimeout


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("{{ plan == 'pro' }}", True),
        ("plan == 'pro' and country in ['DE', 'AT']", True),
        (" {{ plan != 'pro' or n | int > 7 }} ", True),
        ("n | int in (1, 2)", False),
        ("missing is defined", False),
        ("missing is defined and missing == 'x'", False),
        ("(missing | default('')) == ''", True),
        ("plan.startswith('p') and not (plan is number)", True),
        ("'}}' in plan", False),
        ("true", True),
    ],
)
def test_it_is_true_or_false(written, holds):
    assert compile_condition(written, RenderMonitor()).evaluate({"plan": "pro", "country": "DE", "n": "8"}) is holds


@pytest.mark.parametrize(
    "written",
    [
        "missing == 'x'",
        "missing != 'x'",
        "'x' == missing",
        "missing in ['x']",
        "'x' in missing",
        "not missing",
        "missing and true",
        "missing or true",
        "missing",
        "missing | int > 3",
        "missing < 3",
        "plan == 'pro' and missing == 'x'",
    ],
)
def test_a_value_that_is_missing_is_an_error_wherever_it_would_decide(written):
    with pytest.raises(TemplateFault) as fault:
        compile_condition(written, RenderMonitor()).evaluate({"plan": "pro"})
    assert (fault.value.code, fault.value.name) == ("undefined-variable", "missing")
    assert "is defined" in fault.value.hint


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("plan", "where-not-boolean"),
        ("n", "where-not-boolean"),
        ("[]", "where-not-boolean"),
        ("plan < 3", "template-error"),
        ("plan.__class__.__name__ == 'str'", "undefined-variable"),
        ("range(10 ** 9) | list == []", "template-error"),
        ("1 / 0 == 1", "template-error"),
    ],
)
def test_what_is_no_answer_is_told(written, code):
    with pytest.raises(TemplateFault) as fault:
        compile_condition(written, RenderMonitor()).evaluate({"plan": "pro", "n": 3, "range": safe_range})
    assert fault.value.code == code


@pytest.mark.parametrize(
    "written", ["plan ==", "{{ plan }} and {{ plan }}", "{% if plan %}", "a b", "(" * 3000 + ")" * 3000, "x | lipsum"]
)
def test_what_is_no_expression_is_told_at_once(written):
    with pytest.raises(TemplateFault) as fault:
        compile_condition(written, RenderMonitor())
    assert fault.value.code == "template-syntax"


def test_it_knows_its_variables_and_what_it_compares_with_numbers():
    found = compile_condition("a == 7 and b | int == 7 and c in [1, 2] and d == 'x' and 3 < e", RenderMonitor())
    assert found.variables == {"a", "b", "c", "d", "e"}
    assert found.number_comparisons.keys() == {"a", "c", "e"}


def test_one_that_does_not_end_can_be_stopped():
    class Slow(str):
        __slots__ = ()

        def __eq__(self, _):
            raise RenderTimeout

        __hash__ = str.__hash__

    watch = RenderMonitor()
    with pytest.raises(TemplateFault) as fault:
        compile_condition("a == 'b'", watch).evaluate({"a": Slow("x")})
    assert fault.value.code == "too-slow"
    assert not watch.is_rendering
