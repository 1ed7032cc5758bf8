from .cures import EnvironmentCure as EnvironmentCure, apply_cure as apply_cure
from .environment_report import EnvironmentReport as EnvironmentReport, report_environment as report_environment
