from .by_verdict import explain as explain, trial_words as trial_words
from .content import (
    MISSING as MISSING,
    Content as Content,
    content_of as content_of,
    digests_of as digests_of,
    goal_of as goal_of,
    index_slices as index_slices,
    listed_paths as listed_paths,
    offer_of as offer_of,
    read_text as read_text,
)
from .frontier import Call as Call
from .history import (
    Version as Version,
    kept_copy as kept_copy,
    kept_versions as kept_versions,
    version_folder as version_folder,
)
from .job_variables import export as export
from .judge import State as State, Verdict as Verdict, judge_gates as judge_gates
from .messages import Messages as Messages, profile_words as profile_words, run_command as run_command
from .moment import (
    Moment as Moment,
    StageFiles as StageFiles,
    marks_of as marks_of,
    read_moment as read_moment,
    remember_refresh as remember_refresh,
)
from .names import other_names as other_names
from .runs.disk import refuse_unwritable as refuse_unwritable
from .runs.publication import (
    Publication as Publication,
    Turn as Turn,
    failure_of as failure_of,
    last_publication as last_publication,
    publication_file as publication_file,
    turn_file as turn_file,
)
from .runs.run_config import RunConfig as RunConfig, check_run as check_run, open_run as open_run
from .runs.which_run import chosen_run as chosen_run, run_around as run_around
from .sealing import approve_stage as approve_stage, command_decision as command_decision
from .session import (
    Resident as Resident,
    end_call as end_call,
    end_session as end_session,
    keep_warm as keep_warm,
    open_session as open_session,
    outcome_text as outcome_text,
)
from .turns import may_stand as may_stand, next_turn as next_turn
