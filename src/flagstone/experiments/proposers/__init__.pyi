from .agent import FATAL as FATAL, FIRST_WAIT_S as FIRST_WAIT_S, AgentProposer as AgentProposer, Request as Request
from .config_files import names_in as names_in
from .constants import parameters_in as parameters_in
from .edits import differing_lines as differing_lines, grant as grant, mutable_files as mutable_files
from .ideas import Idea as Idea, idea_of as idea_of, ideas_text as ideas_text
from .protocol import (
    AgentSetup as AgentSetup,
    Guidance as Guidance,
    Proposed as Proposed,
    Proposer as Proposer,
    View as View,
    start_of as start_of,
)
from .registry import proposer_for as proposer_for
