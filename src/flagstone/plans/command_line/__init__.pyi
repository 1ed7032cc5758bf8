from .arguments import (
    ARGUMENTS_FILE as ARGUMENTS_FILE,
    ARGUMENTS_WORD as ARGUMENTS_WORD,
    CommandArguments as CommandArguments,
)
from .parameter import (
    Parameter as Parameter,
    parameter_of as parameter_of,
    plain_value as plain_value,
    word_in as word_in,
)
