from .checkpoint import checkpoint_finding as checkpoint_finding
from .evaluation import evaluation_finding as evaluation_finding
from .framework import framework_finding as framework_finding
from .goal import goal_finding as goal_finding
from .metric import metric_finding as metric_finding
from .mutable import mutable_finding as mutable_finding
from .saving_option import find_saving_option as find_saving_option
from .seconds import seconds_finding as seconds_finding
