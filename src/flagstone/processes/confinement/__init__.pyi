from .wrapping import (
    confined_environment as confined_environment,
    hand_on_no_handles as hand_on_no_handles,
    let_go_of_handles as let_go_of_handles,
    needed_ruleset as needed_ruleset,
    range_closer as range_closer,
    wrapped as wrapped,
)
