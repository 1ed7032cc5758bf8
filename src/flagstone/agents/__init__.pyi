from .changes import WatchedFiles as WatchedFiles, differences as differences
from .cleaning import Cleaning as Cleaning
from .conversation import SessionFolder as SessionFolder
from .frame import CallFrame as CallFrame, Guard as Guard
from .hidden_paths import paths_to_hide as paths_to_hide
from .protocol import (
    Agent as Agent,
    AgentCall as AgentCall,
    AgentResult as AgentResult,
    CallOutcome as CallOutcome,
    Conversation as Conversation,
    Event as Event,
    Limits as Limits,
    Mode as Mode,
    Task as Task,
    names as names,
    valid_count as valid_count,
)
from .registry import agent_named as agent_named
from .sandbox import INSTALL as INSTALL, NEWER_KERNEL as NEWER_KERNEL, strength as strength
