from .declared_options import (
    called_options as called_options,
    hydra_pair as hydra_pair,
    plain_word as plain_word,
    program_options as program_options,
)
from .option import OptionKind as OptionKind, ProgramOption as ProgramOption, kind_of as kind_of
from .roles import name_rank_of as name_rank_of, plain_name as plain_name, role_of as role_of
from .yaml_options import hydra_run_folder as hydra_run_folder
