from .asking import Campaign as Campaign
from .attempt import make_attempt as make_attempt
from .idea_log import write_idea_log as write_idea_log
from .lessons import ask_for_lessons as ask_for_lessons
