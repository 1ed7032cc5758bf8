from .accounts import Accounts as Accounts
from .derived import result_record as result_record, tail_of as tail_of
from .entry import NO_PROPOSAL as NO_PROPOSAL, NOT_AN_IDEA as NOT_AN_IDEA, Entry as Entry, LedgerRow as LedgerRow
from .ledger import (
    History as History,
    entries_of as entries_of,
    find_entry as find_entry,
    head_of as head_of,
    ledger_problems as ledger_problems,
    rows_of as rows_of,
    tail_entries as tail_entries,
)
from .lines import verdict_line as verdict_line, verdict_lines as verdict_lines
from .progress import Progress as Progress
from .scalars import Scalars as Scalars
