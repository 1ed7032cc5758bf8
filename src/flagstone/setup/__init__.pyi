from .intake import QUESTIONS as QUESTIONS
from .new_run import NewRun as NewRun, create as create
from .parameters import with_parameters as with_parameters
