from .book import build_facts as build_facts
from .fact import Fact as Fact, FactBook as FactBook
from .figures import Figures as Figures, make_figures as make_figures
from .macros import write_facts as write_facts
from .permission import Permission as Permission
from .request import read_written as read_written
from .results_file import read_results_file as read_results_file, value_at as value_at
from .sources import source_of as source_of
from .tables import (
    TableCell as TableCell,
    Tables as Tables,
    build_tables as build_tables,
    tabular as tabular,
    write_tables as write_tables,
)
