from .intake import QUESTIONS as QUESTIONS
from .interview import (
    check_plan as check_plan,
    create_experiment as create_experiment,
    make_experiment_folder as make_experiment_folder,
    own_files_beside as own_files_beside,
    refuse_taken as refuse_taken,
)
from .look import LookRequest as LookRequest, ProjectLook as ProjectLook, look_at as look_at
from .new_project import create_project as create_project
from .new_run import NewRun as NewRun, create as create
from .parameters import with_parameters as with_parameters
from .project_finding import ProjectFinding as ProjectFinding
from .project_root import member_of_workspace as member_of_workspace, root_of_project as root_of_project
from .takeover import ForeignExperiment as ForeignExperiment, foreign_experiment as foreign_experiment
