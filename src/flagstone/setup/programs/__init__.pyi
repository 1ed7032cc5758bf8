from .arguments import argument_names as argument_names
from .launch import launch_of as launch_of
from .notebooks import with_notebook_tool as with_notebook_tool
from .options import ProgramOption as ProgramOption
from .program import Program as Program
from .program_finding import find_program as find_program
from .runner import process_count as process_count
