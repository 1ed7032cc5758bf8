from .wrapping import (
    STEERING as STEERING,
    blank_handles as blank_handles,
    close_handles_on_exec as close_handles_on_exec,
    confined_environment as confined_environment,
    is_in_bubblewrap as is_in_bubblewrap,
    needed_ruleset as needed_ruleset,
    range_closer as range_closer,
    wrapped_argv as wrapped_argv,
)
