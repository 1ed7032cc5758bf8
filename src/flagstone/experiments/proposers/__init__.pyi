from .agent import FIRST_WAIT_S as FIRST_WAIT_S, AgentProposer as AgentProposer
from .config_files import names_in as names_in
from .constants import parameters_in as parameters_in
from .ideas import ideas_text as ideas_text
from .protocol import AgentSetup as AgentSetup, Proposed as Proposed, Proposer as Proposer, View as View
from .registry import proposer_for as proposer_for
