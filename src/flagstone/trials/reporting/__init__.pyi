from .derived import (
    NOT_DERIVED as NOT_DERIVED,
    derived_files as derived_files,
    derived_problems as derived_problems,
    minimum_effect_of as minimum_effect_of,
    report_text as report_text,
    verdict_record as verdict_record,
    write_derived as write_derived,
)
from .pages import markdown as markdown
from .pictures import Frame as Frame, forest_picture as forest_picture, pairs_picture as pairs_picture
from .report import (
    Report as Report,
    figure as figure,
    heading_of as heading_of,
    interval as interval,
    sections_of as sections_of,
)
