from .handoff import write_handoffs as write_handoffs
from .loop import Bench as Bench, build as build
from .promotion import schema_folder as schema_folder
from .work import Attempt as Attempt
