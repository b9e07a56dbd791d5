"""Builds the preview of a plan: what the index says of each message, and what each sampled recipient gets."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from runner.characters import show_invisible, show_on_one_line
from runner.compare.declared_fields import format_value, list_audience_fields
from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import TableAudience
from runner.declare.delivery import Delivery
from runner.declare.sample import make_sample, read_beginning
from runner.errors import Problem
from runner.intercom.wire_format import build_body
from runner.plan.deliveries import ACTIONS, PlannedMessage
from runner.plan.file_problems import assign_problems
from runner.plan.guards import format_exceptions
from runner.plan.message_planner import WorkerPool
from runner.preview.body_checks import check_body
from runner.preview.body_frame import Style, build_frame, estimate_height, is_plain_text
from runner.preview.change_views import build_change, show_written
from runner.preview.concerns import (
    count_other_texts,
    describe_guard,
    describe_problem,
    list_change_concerns,
    list_index_concerns,
    list_rare_texts,
    list_text_concerns,
)
from runner.preview.date_conflict import find_date_conflict
from runner.preview.named_masks import show_or_name
from runner.preview.pages import name_pages, render_message
from runner.preview.preview_input import KeptViews, PreviewInput
from runner.preview.sampling import MessageSample, SampledDelivery, sample_message
from runner.preview.views import Concern, MessageView, Preview, RecipientView, SentView, Site, Tone, Variable
from runner.privacy import AnyText, mark_private, reveal_or_mask
from runner.shown_command import shown_command

_MAX_VALUE = 2_000  # characters of a variable's value
_MAX_BEGINNING = 140
_MIN_PARALLEL = 8  # messages: fewer are built before other processes have started
_UNUSUAL_ACTIONS: Mapping[str, tuple[Tone, str]] = {
    "edited": ("bad", "{:,} edited after they were sent: apply stops"),
    "unknown": ("bad", "{:,} unknown: not sent again until a person says whether it arrived"),
    "refused": ("warn", "{:,} refused by Intercom before: not sent again"),
}


def build_preview(source: PreviewInput, worker_pool: WorkerPool | None = None) -> Preview:
    """Returns the preview. A `worker_pool` builds the pages of many messages in several processes."""
    plan, comparison = source.plan, source.comparison
    pages = name_pages(message.name for message in plan.messages)
    problems = assign_problems(plan.messages, source.warnings)
    sends, sent = plan.send_counts(), source.history.build_views()
    site = Site(
        project=source.project,
        environment=plan.environment,
        workspace=plan.workspace,
        is_masked=not source.show_values,
        is_sandbox=source.is_sandbox,
        is_live=source.kept_views is not None,
        against=comparison.against if comparison else "",
        online_command=shown_command("status", "--online"),
    )

    def build(index: int, count: int) -> Iterator[MessageView]:
        for message in plan.messages[index::count]:
            name = message.name
            builder = _MessageBuilder(
                source, site, message, pages[name], sends[name], tuple(problems.get(name, ())), sent.get(name)
            )
            yield builder.build() if source.kept_views is None else builder.build_unless_kept(source.kept_views)

    # What another process keeps is lost with it.
    is_parallel = len(plan.messages) >= _MIN_PARALLEL and source.kept_views is None
    messages = tuple(worker_pool(build) if worker_pool and is_parallel else build(0, 1))
    concerns = list_index_concerns(source, messages, pages)
    return Preview(
        site=site,
        messages=messages,
        concerns=tuple(sorted(concerns, key=lambda concern: concern.tone != "bad")),
        plan=plan,
        comparison=comparison,
    )


class _MessageBuilder:
    """Builds the view of one message, and its page."""

    def __init__(
        self,
        source: PreviewInput,
        site: Site,
        message: PlannedMessage,
        page: str,
        to_send: int,
        problems: tuple[Problem, ...],
        sent: SentView | None,
    ) -> None:
        self._source, self._site, self._message, self._page = source, site, message, page
        self._to_send, self._problems, self._sent = to_send, problems, sent
        self._guards = tuple(guard for guard in source.plan.guards if message.name in guard.messages)
        self._change = source.comparison.find_change(message.name) if source.comparison else None
        # Without the changes of other messages, of which the view must show nothing.
        changes = (self._change,) if self._change else ()
        self._comparison = replace(source.comparison, changes=changes) if source.comparison else None
        self._authorship = message.authorship
        self._style: Style = message.declaration.template or "inapp"

    def build_unless_kept(self, kept: KeptViews) -> MessageView:
        """Returns the view that is kept, if all that it was made of is the same, or a new one, which is kept.

        What is made of the project's files is the same if the declaration is the same object: see `ReadCache`.
        """
        message = self._message
        made_of = (
            *(message.declaration, message.deliveries.fingerprint(), message.is_expired, message.warnings),
            *(self._site, self._page, self._to_send, self._problems, self._sent, self._guards, self._comparison),
        )
        last, view = kept.get(message.name, ((), None))
        if view is None or last != made_of:
            view = self.build()
            kept[message.name] = made_of, view
        return view

    def build(self) -> MessageView:
        """Returns the view with its page, which alone needs the recipients."""
        with CURRENT_WORK.on_file(self._message.declaration.place.path):
            view = self._build_view()
            return replace(view, html=render_message(self._site, view), recipients=())

    def _build_view(self) -> MessageView:
        message, declaration, source, change = self._message, self._message.declaration, self._source, self._change
        sample = sample_message(message, source.settings, self._authorship, source.recipient_count)
        recipients = tuple(self._view_recipient(sampled) for sampled in sample.deliveries)
        is_computed = any(recipient.is_computed for recipient in recipients)
        sender = declaration.sender
        return MessageView(
            name=message.name,
            page=self._page,
            kind=declaration.message_type,
            template=declaration.template or "",
            sender=show_on_one_line(f"{'admin ' if sender.kind == 'id' else ''}{sender.value}"),
            revision=declaration.revision,
            source=show_on_one_line(f"{declaration.place.path}:{declaration.place.line}"),
            subject=recipients[0].subject or recipients[0].beginning if recipients else "",
            counts={action: message.counts[action] for action in ACTIONS},
            to_send=self._to_send,
            total=len(message.deliveries),
            read_count=sample.read_count,
            audience=show_on_one_line(_name_audience(message)),
            concerns=(*self._list_concerns(sample), *list_text_concerns(recipients)),
            recipients=recipients,
            change=build_change(change, self._style, show_values=source.show_values) if change else None,
            facts=tuple(_list_facts(message)),
            is_unread=message.is_unread,
            written=show_written(declaration) if not recipients or is_computed or sample.other_count else (),
            sent=self._sent,
        )

    def _list_plan_concerns(self) -> Iterator[Concern]:
        """Yields what the plan says of the message."""
        message = self._message
        yield from (describe_guard(guard, {message.name: self._page}) for guard in self._guards)
        if message.is_expired:
            yield Concern("warn", "expired", "expires has passed: nothing is sent any more")
        guarded = {guard.code for guard in self._guards}
        for action, count in message.counts.items():
            if action in _UNUSUAL_ACTIONS and action not in guarded:
                tone, text = _UNUSUAL_ACTIONS[action]
                yield Concern(tone, action, text.format(count))
        for text in message.warnings:
            yield Concern("warn", "warning", show_on_one_line(text))

    def _list_concerns(self, sample: MessageSample) -> Iterator[Concern]:
        """Yields what the plan, the comparison with the base and the checks of the files say, each thing once."""
        yield from self._list_plan_concerns()
        reported = {"expired"}
        if self._comparison and self._change:
            for concern in list_change_concerns(self._comparison, self._change):
                yield concern
                if concern.label == "expires":
                    reported.add("no-expires")
            for text in self._change.warnings:
                if not text.endswith(self._message.warnings):  # it repeats one of them, with the message's name
                    yield Concern("warn", "warning", show_on_one_line(text))
            if self._change.is_content_changed:
                yield from list_rare_texts(sample, self._authorship)
        yield from count_other_texts(sample)
        others = [problem for problem in (*self._problems, *sample.findings) if problem.code not in reported]
        for problem in sorted(others, key=lambda problem: (not problem.is_error, problem.place.sort_key)):
            yield describe_problem(problem, show_values=self._source.show_values, messages=(self._page,))

    def _view_recipient(self, sampled: SampledDelivery) -> RecipientView:
        CURRENT_WORK.step()
        delivery, show_values = sampled.delivery, self._source.show_values
        sample = make_sample(self._message.declaration, delivery, self._authorship)
        subject, body = sample.subject, sample.body
        shown_body = show_or_name(body, show_values=show_values, is_html=True)
        action, reason = self._message.deliveries.find_action(delivery.raw_key) or ("", "")
        sent = build_body(delivery.payload, self._source.settings.api_version)
        shown = sent if show_values else self._authorship.mask_fields(sent, delivery)
        new_hosts = frozenset(self._comparison.new_hosts) if self._comparison else frozenset()
        is_email = self._style != "inapp"
        checks = check_body(body, is_email=is_email, show_values=show_values, new_hosts=new_hosts)
        return RecipientView(
            name=show_on_one_line(reveal_or_mask(_name_recipient(delivery), show_values=show_values)),
            reasons=tuple(sampled.reasons),
            action=action,
            action_reason=show_on_one_line(reason or self._source.history.explain_sent(delivery.key)),
            subject=show_on_one_line(show_or_name(subject, show_values=show_values)),
            beginning=show_on_one_line(read_beginning(shown_body))[:_MAX_BEGINNING],
            frame=build_frame(shown_body, self._style, is_text=is_plain_text(delivery.payload["body"])),
            height=estimate_height(shown_body),
            json=show_invisible(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()),
            variables=tuple(self._list_variables(delivery)),
            checks=checks,
            is_variant=sampled.is_variant,
            is_computed=sample.is_computed and not show_values,
            date_conflict=find_date_conflict(subject, body),
        )

    def _list_variables(self, delivery: Delivery) -> Iterator[Variable]:
        """Yields the variables that the texts use. What an include uses is not known, so then all are listed."""
        declaration, own = self._message.declaration, delivery.vars
        texts = declaration.texts
        names = {name: None for text in texts for name in text.variables if name not in text.assigned}
        if any(text.includes for text in texts):
            names |= dict.fromkeys([*own, *declaration.variables])
        for name in names:
            common = declaration.variables.get(name)
            if name in own:
                shown = reveal_or_mask(mark_private(_format_value(own[name])), show_values=self._source.show_values)
                yield Variable(name, show_invisible(shown), "recipient")
            elif name in declaration.variables and not callable(common):
                yield Variable(name, show_invisible(_format_value(common)), "message")
            elif name not in declaration.variables:
                yield Variable(name, "", "none")


def _format_value(value: Any) -> str:
    text = (
        value if isinstance(value, str) else orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    )
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"


def _name_recipient(delivery: Delivery) -> AnyText:
    if delivery.kind == "id":
        return f"id {delivery.value}"
    label = delivery.value if delivery.kind == "email" else f"{delivery.kind} {delivery.value}"
    return mark_private(label, delivery.display_name)


def _name_audience(message: PlannedMessage) -> str:
    audience = message.declaration.audience
    return audience.source.title if isinstance(audience, TableAudience) else "listed in the message"


def _list_facts(message: PlannedMessage) -> Iterator[tuple[str, str]]:
    """Yields the keys of the declaration that decide when and how it is sent, with their defaults."""
    declaration = message.declaration
    if declaration.not_before:
        yield "not before", declaration.written("not_before")
    yield "expires", declaration.written("expires") or "never"
    if declaration.max_recipients is not None:
        yield "at most", f"{declaration.max_recipients:,} recipients"
    if declaration.require_subscription:
        yield "only with the subscription", declaration.require_subscription
    for exception in format_exceptions(declaration):
        yield "exception", exception
    yield "opens a conversation", "at once" if declaration.opens_conversation else "with the first reply"
    for name, value in list_audience_fields(declaration).items():
        yield show_on_one_line(name), show_on_one_line(format_value(value))
    for reason, count in message.left_out.items():
        yield f"left out by {reason.replace('_', ' ')}", f"{count:,}"
    yield "digest", message.digest
