from .accounts import Accounts as Accounts
from .derived import result_record as result_record, tail_of as tail_of
from .entry import Entry as Entry
from .ledger import (
    History as History,
    entries_of as entries_of,
    head_of as head_of,
    ledger_problems as ledger_problems,
    tail_entries as tail_entries,
)
from .lines import told as told
from .progress import Progress as Progress
from .scalars import Scalars as Scalars
