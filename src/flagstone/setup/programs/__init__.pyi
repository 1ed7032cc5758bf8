from .options import ProgramOption as ProgramOption
from .program import Program as Program
from .program_finding import find_program as find_program
