from .facts import facts_of as facts_of
from .issues import issues_text as issues_text
from .leaks import remove_leaks as remove_leaks, stamps_in as stamps_in
