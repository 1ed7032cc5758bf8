from .handoff import write_handoffs as write_handoffs
from .loop import Bench as Bench, build as build
from .work import Attempt as Attempt
