from .loop import StageContext as StageContext, build as build
from .work import Attempt as Attempt
