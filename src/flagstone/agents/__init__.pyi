from .changes import differences as differences, stats_below as stats_below
from .conversation import SessionFolder as SessionFolder
from .frame import Frame as Frame, Guard as Guard
from .hidden_paths import paths_to_hide as paths_to_hide
from .protocol import (
    Agent as Agent,
    AgentCall as AgentCall,
    AgentResult as AgentResult,
    Conversation as Conversation,
    Event as Event,
    Limits as Limits,
    Mode as Mode,
    Outcome as Outcome,
    Task as Task,
    paid as paid,
    value_at as value_at,
    whole as whole,
)
from .registry import agent_named as agent_named
from .sandbox import INSTALL as INSTALL, NEWER_KERNEL as NEWER_KERNEL, strength as strength
