"""The index names each changed guard once."""

from runner.compare.comparison import Comparison, FieldChange
from runner.preview.index_concerns import list_comparison_concerns


def concerns(*settings: FieldChange) -> list[str]:
    comparison = Comparison("main", "0" * 40, (), guard_changes=settings)
    return [concern.text for concern in list_comparison_concerns(comparison)]


def test_a_changed_guard_is_a_concern() -> None:
    assert concerns(FieldChange("require_plan", "true", "false")) == ["require_plan: true → false"]


def test_another_sender_is_left_to_the_messages_that_it_changes() -> None:
    assert concerns(FieldChange("from", "admin 7", "admin 8")) == []
