from .facts import facts_of as facts_of
from .issues import issues_text as issues_text
from .leaks import (
    clean_leftovers as clean_leftovers,
    moment_in as moment_in,
    remove_leaks as remove_leaks,
    written_since as written_since,
)
from .neighbourhood import Neighbourhood as Neighbourhood
