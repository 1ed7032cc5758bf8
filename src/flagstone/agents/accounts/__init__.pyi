from .budget import (
    NAMES as NAMES,
    Balance as Balance,
    Claim as Claim,
    Patience as Patience,
    Purse as Purse,
    Reservation as Reservation,
    refuse_if_spent as refuse_if_spent,
    reserved as reserved,
)
from .calls import (
    LOG as LOG,
    Log as Log,
    RecordedAgent as RecordedAgent,
    Spending as Spending,
    Writer as Writer,
    append_use as append_use,
    asked_of as asked_of,
    is_call as is_call,
    is_noted as is_noted,
    lines_of as lines_of,
    settled as settled,
    spending as spending,
    sum_of as sum_of,
)
from .changed import Mark as Mark, different as different, marks_below as marks_below
from .event_log import open_event_log as open_event_log
from .inflight import flights as flights
