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
    Spending as Spending,
    append_call as append_call,
    append_use as append_use,
    asked_of as asked_of,
    is_call as is_call,
    is_noted as is_noted,
    line_of as line_of,
    lines_of as lines_of,
    settled as settled,
    spending as spending,
    sum_of as sum_of,
)
from .inflight import flights as flights
