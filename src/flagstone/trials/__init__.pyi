from .outcomes import (
    CheckResult as CheckResult,
    CompareResult as CompareResult,
    Confirmation as Confirmation,
    IdeaOutcome as IdeaOutcome,
    LookResult as LookResult,
    Outcome as Outcome,
    Pair as Pair,
    RunOutcome as RunOutcome,
    RunStatus as RunStatus,
    ScreenResult as ScreenResult,
)
