from .budget import (
    BUDGET_NAMES as BUDGET_NAMES,
    Balance as Balance,
    Budget as Budget,
    BudgetUsedUp as BudgetUsedUp,
    Claim as Claim,
)
from .call_line import CallLine as CallLine
from .calls import (
    LOG as LOG,
    CallFacts as CallFacts,
    Spending as Spending,
    append_call as append_call,
    append_use as append_use,
    has_use as has_use,
    lines_of as lines_of,
    record_of as record_of,
    records_of as records_of,
    spending_of as spending_of,
    sum_of as sum_of,
)
from .inflight import open_records as open_records
from .reservation import (
    Patience as Patience,
    Reservation as Reservation,
    reserve as reserve,
)
