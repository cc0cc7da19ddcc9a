"""The facts of an event as text, and back. Which shape they have follows from the event's type."""

from typing import Any, Final

import msgspec

from lethe.domain.event import AlarmFacts, EventType, ExpirationFacts, Facts, WebhookFacts, WorkOrderFacts

_encode: Final = msgspec.json.Encoder().encode


def facts_text(facts: Facts) -> str:
    """The facts as JSON."""
    return _encode(facts).decode()


def facts_of(type_: EventType, text: str) -> Facts:
    """What the text of such an event says."""
    facts: Facts = msgspec.json.decode(text, type=_shape(type_))
    return facts


def _shape(type_: EventType) -> Any:
    match type_.split(".")[2], type_:
        case _, EventType.WORK_ORDER_ALARM:
            return AlarmFacts
        case "workorder", _:
            return WorkOrderFacts
        case "expiration", _:
            return ExpirationFacts
        case _:
            return WebhookFacts
