from .book import build_facts as build_facts
from .fact import Fact as Fact, FactBook as FactBook
from .figures import Figures as Figures, make_figures as make_figures
from .macros import write_facts as write_facts
from .tables import Tables as Tables, build_tables as build_tables, write_tables as write_tables
