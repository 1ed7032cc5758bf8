from .loop import Bench as Bench, build as build
from .work import Attempt as Attempt
