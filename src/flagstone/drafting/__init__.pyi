from .loop import StageContext as StageContext, build as build
from .restoring import restore_version as restore_version
from .work import Attempt as Attempt
