from .content import (
    Content as Content,
    content_of as content_of,
    digest_now as digest_now,
    index_slices as index_slices,
    offer_of as offer_of,
)
from .frontier import Call as Call
from .history import kept_copy as kept_copy, version_folder as version_folder
from .judge import State as State, Verdict as Verdict, judge_gate as judge_gate, judge_gates as judge_gates
from .memory import read_bytes as read_bytes, read_text as read_text
from .opened import OpenedRun as OpenedRun, open_run as open_run
from .sealing import approve_now as approve_now, command_decision as command_decision
from .sentences import Speaker as Speaker
from .session import (
    Resident as Resident,
    end_call as end_call,
    export as export,
    open_session as open_session,
    refuse_without_room as refuse_without_room,
    speak_last as speak_last,
)
from .turns import (
    Publication as Publication,
    Turn as Turn,
    asked as asked,
    consumed_file as consumed_file,
    failure_of as failure_of,
    publication as publication,
    turn_file as turn_file,
    turn_of as turn_of,
)
from .which_run import chosen_run as chosen_run, run_around as run_around
