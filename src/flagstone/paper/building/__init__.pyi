from .appendix import Appendix as Appendix, AppendixRequest as AppendixRequest, appendix_of as appendix_of
from .build import Build as Build, build_paper as build_paper
from .order import DRAFT as DRAFT, PaperOrder as PaperOrder, paper_stage as paper_stage
from .publishing import publish as publish
from .self_review import (
    REVIEW_RULE as REVIEW_RULE,
    PaperReview as PaperReview,
    ReviewIssue as ReviewIssue,
    SelfReview as SelfReview,
    answers_of as answers_of,
    paper_of as paper_of,
    self_review_check as self_review_check,
)
from .typesetting import read_manuscript as read_manuscript
from .writing_manifest import write_manifest as write_manifest
