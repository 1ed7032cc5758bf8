from .changes import Mark as Mark, different as different, marks_below as marks_below
from .conversation import Room as Room
from .frame import Frame as Frame, Guard as Guard
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
    whole as whole,
)
from .registry import agent_named as agent_named
from .sandbox import INSTALL as INSTALL, NEWER_KERNEL as NEWER_KERNEL, strength as strength
from .sockets import doors as doors
