from .facts import facts_of as facts_of
from .issues import issues_text as issues_text
from .leaks import FreshFiles as FreshFiles, moment_in as moment_in, remove_leaks as remove_leaks
