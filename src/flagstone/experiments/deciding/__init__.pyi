from .flags import (
    constant_text as constant_text,
    flags_text as flags_text,
    huge_text as huge_text,
    is_suspicious as is_suspicious,
    standing_flags as standing_flags,
    suspicious_flags as suspicious_flags,
    touched_text as touched_text,
)
from .noise import (
    Judgement as Judgement,
    Pairs as Pairs,
    improvement as improvement,
    is_exact_after as is_exact_after,
    judge as judge,
    varies as varies,
)
from .simplicity import largest_loss as largest_loss, shorter_text as shorter_text
from .stopping import (
    Condition as Condition,
    amount_text as amount_text,
    conditions as conditions,
    end_reason as end_reason,
)
from .verdict import (
    AFTER as AFTER,
    BY_PERSON as BY_PERSON,
    ConstraintCheck as ConstraintCheck,
    Reference as Reference,
    RunVerdict as RunVerdict,
    Status as Status,
    behind_text as behind_text,
    broken_text as broken_text,
    check as check,
    is_ahead as is_ahead,
)
