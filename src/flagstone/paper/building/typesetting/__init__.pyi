from .compiling import Compilation as Compilation, compile_paper as compile_paper
from .layouts import Parts as Parts, main_tex as main_tex
from .limits import WrittenText as WrittenText, limit_problems as limit_problems
from .manuscript import Manuscript as Manuscript, read_manuscript as read_manuscript
from .printed import Printed as Printed, font_problem as font_problem, giveaways as giveaways, read_pdf as read_pdf
from .tex_sources import (
    ABSTRACT as ABSTRACT,
    SECTIONS as SECTIONS,
    TexSources as TexSources,
    sections_check as sections_check,
    written_sources as written_sources,
)
from .venue import Venue as Venue, VenueStyle as VenueStyle, layout_notice as layout_notice, style_for as style_for
