"""Nothing that a pull request changes makes another key, or another ledger, of what was sent already."""

from typing import Any

import pytest

from runner.declare.yaml.scalar_types import compose_all, convert_node
from runner.declare.yaml.syntax import YamlFault
from runner.ledger.record import Record


def convert(text: str) -> tuple[Any, list[YamlFault]]:
    (root,) = compose_all(text)
    return convert_node(root)


@pytest.mark.parametrize(
    "text",
    [
        "revision: 1.0",
        "revision: 10.0",
        "revision: -0.0",
        "revision: !!float 1",
        "revision: !!float 1.0",
        "revision: !!float 1e0",
        "revision: !!float inf",
        "revision: !!int 1_0",
        'revision: !!int "1\\n"',
        "vars: {a: &a 1.0}\nrevision: *a",
        "x-a: &a\n  vars: {revision: &b 1.0}\n  revision: *b\n<<: *a",
        "vars: &a {revision: 1.0}\n<<: *a",
        "limits: {recipients_per_apply: 5.0}",
        "environments: {a: {limits: {recipients_per_apply: 5.0}}}",
    ],
)
def test_a_whole_number_has_one_form(text: str) -> None:
    assert next(fault.code for fault in convert(text)[1]) in {"wrong-type", "yaml-tag"}


def test_numbers_of_recipients_are_data_with_their_fraction() -> None:
    assert convert("vars: {price: 1.0}\nrevision: 1") == ({"vars": {"price": 1.0}, "revision": 1}, [])
    assert convert("- {email: a@example.com, price: 1.0}") == ([{"email": "a@example.com", "price": 1.0}], [])


@pytest.mark.parametrize("fields", [{"revision": 1.0}, {"to": 5}, {"forgotten": "yes"}])
def test_a_record_that_could_not_be_read_again_is_not_written(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="another type"):
        Record("a" * 32, "run-1", "claimed", **fields).to_line()
