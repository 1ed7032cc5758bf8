from .asking import Campaign as Campaign, CampaignRecord as CampaignRecord, idea_number as idea_number
from .attempt import make_attempt as make_attempt
from .completion import SUMMARY as SUMMARY, complete as complete, export_to as export_to
from .idea_log import write_idea_log as write_idea_log
from .lessons import ask_for_lessons as ask_for_lessons, status_text as status_text
from .network import hosts_of as hosts_of
from .outcome import (
    campaign_outcome as campaign_outcome,
    documents as documents,
    leading_idea as leading_idea,
    summary_text as summary_text,
)
from .project import COPY as COPY, Handover as Handover, hand_over as hand_over
from .setup_checks import checks_of_setup as checks_of_setup
