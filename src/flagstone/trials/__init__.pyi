from .lines import (
    Earlier as Earlier,
    IdeaLine as IdeaLine,
    Line as Line,
    RunLine as RunLine,
    VerdictLine as VerdictLine,
)
from .outcomes import (
    CheckResult as CheckResult,
    CompareResult as CompareResult,
    Confirmation as Confirmation,
    LookResult as LookResult,
    Outcome as Outcome,
    ScreenResult as ScreenResult,
)
from .story import Story as Story, lines_in as lines_in, read_story as read_story, story_of as story_of
from .verification import trial_fault as trial_fault, trial_problems as trial_problems
