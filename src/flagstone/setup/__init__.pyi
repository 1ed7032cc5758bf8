from .intake import QUESTIONS as QUESTIONS
from .new_run import NewRun as NewRun, create as create
