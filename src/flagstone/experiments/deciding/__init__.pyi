from .judging import (
    Bench as Bench,
    Ruling as Ruling,
    entry_of as entry_of,
    rule_on as rule_on,
    rule_on_baseline as rule_on_baseline,
)
from .noise import varies as varies
from .stopping import Condition as Condition, conditions as conditions, figure as figure, terminated_by as terminated_by
