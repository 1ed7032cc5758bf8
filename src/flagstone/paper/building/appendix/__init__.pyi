from .whole import Appendix as Appendix, AppendixRequest as AppendixRequest, appendix_of as appendix_of
