"""A clock that only sleeping moves, and a transport that answers from a script."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.clock import Clock
from runner.intercom.transport import NoReply, Reply

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass
class FakeTime:
    """Seconds since START; `slept` lists every pause."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: START + timedelta(seconds=self.seconds), lambda: self.seconds, self.sleep)


@dataclass
class Script:
    """Answers from a list, the last one for ever; remembers what was asked."""

    answers: list[Reply | NoReply]
    asked: list[tuple[str, str, Any, str]] = field(default_factory=list)

    def exchange(self, method: str, path: str, body: Any, version: str) -> Reply | NoReply:
        self.asked.append((method, path, body, version))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def script() -> Callable[..., Script]:
    return lambda *answers: Script(list(answers))
