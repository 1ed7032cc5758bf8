from .context import StageContext as StageContext, StageWork as StageWork
from .loop import build as build
from .outage import wait_after as wait_after
from .restoring import restore_version as restore_version
from .work import Attempt as Attempt
