"""What conversations can be searched by (reference, "Search conversations", 2.14).

No document says that dates are compared by day, as those of contacts are; `>` is "greater (or equal) than".
"""

from runner.sandbox.search_fields import CHOICE_OPERATORS, TEXT_OPERATORS, FieldType, SearchFields

_STATISTICS = {
    FieldType.INTEGER: "time_to_assignment time_to_admin_reply time_to_first_close time_to_last_close"
    " median_time_to_reply count_reopens count_assignments count_conversation_parts",
    FieldType.DATE: "first_contact_reply_at first_assignment_at first_admin_reply_at first_close_at last_assignment_at"
    " last_assignment_admin_reply_at last_contact_reply_at last_admin_reply_at last_close_at",
    FieldType.STRING: "last_closed_by_id",
}
_NAMES = {
    FieldType.STRING: "id source.type source.id source.delivered_as source.subject source.body source.author.id"
    " source.author.type source.author.name source.author.email source.url contact_ids teammate_ids channel_initiated"
    " state tag_ids priority conversation_rating.remark conversation_rating.contact_id conversation_rating.admin_id"
    " conversation_rating.admin_d ai_agent.resolution_state ai_agent.last_answer_type ai_agent.rating_remark"
    " ai_agent.source_type ai_agent.source_title",
    FieldType.INTEGER: "admin_assignee_id team_assignee_id conversation_rating.score ai_agent.rating",
    FieldType.BOOLEAN: "open read ai_agent_participated",
    FieldType.DATE: "created_at updated_at waiting_since snoozed_until conversation_rating.requested_at"
    " conversation_rating.replied_at",
}
_NUMBER_OPERATORS = CHOICE_OPERATORS | {">", "<"}

CONVERSATION_FIELDS = SearchFields(
    types={name: field_type for field_type, names in _NAMES.items() for name in names.split()}
    | {f"statistics.{name}": field_type for field_type, names in _STATISTICS.items() for name in names.split()},
    operators={
        FieldType.STRING: TEXT_OPERATORS,
        FieldType.INTEGER: _NUMBER_OPERATORS,
        FieldType.BOOLEAN: CHOICE_OPERATORS,
        FieldType.DATE: _NUMBER_OPERATORS,
    },
    is_inclusive=True,
)
