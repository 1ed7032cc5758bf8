from .budget import (
    BUDGET_NAMES as BUDGET_NAMES,
    Balance as Balance,
    Budget as Budget,
    BudgetUsedUp as BudgetUsedUp,
    Claim as Claim,
)
from .calls import (
    LOG as LOG,
    Spending as Spending,
    append_call as append_call,
    append_use as append_use,
    facts_of_call as facts_of_call,
    has_use as has_use,
    is_call as is_call,
    line_of as line_of,
    lines_of as lines_of,
    spending as spending,
    sum_of as sum_of,
)
from .inflight import open_records as open_records
from .reservation import (
    Patience as Patience,
    Reservation as Reservation,
    reserve as reserve,
)
