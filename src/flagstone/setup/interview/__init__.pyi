from .answers import checked_answers as checked_answers, read_answers as read_answers, read_pairs as read_pairs
from .held_values import held_findings as held_findings
from .naming import default_name as default_name, next_free_name as next_free_name
from .program_questions import environment_problem as environment_problem
from .proposal import (
    SetupProposal as SetupProposal,
    proposal_of as proposal_of,
    with_searched_arguments as with_searched_arguments,
)
from .question import SetupQuestion as SetupQuestion
from .questions import (
    FIRST as FIRST,
    Ask as Ask,
    all_questions as all_questions,
    open_questions as open_questions,
    open_rounds as open_rounds,
    with_defaults as with_defaults,
)
from .record import findings_record as findings_record, script_view as script_view
from .screen import finding_lines as finding_lines, question_lines as question_lines
from .settled import Settled as Settled
from .writing import (
    check_plan as check_plan,
    create_experiment as create_experiment,
    make_experiment_folder as make_experiment_folder,
    own_files_beside as own_files_beside,
    refuse_taken as refuse_taken,
)
