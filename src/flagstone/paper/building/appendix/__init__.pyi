from .campaign import campaign_check as campaign_check, campaign_tables as campaign_tables
from .whole import Appendix as Appendix, AppendixRequest as AppendixRequest, appendix_of as appendix_of
