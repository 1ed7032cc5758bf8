from .checks import (
    is_deterministic as is_deterministic,
    off_check as off_check,
    on_check as on_check,
    scale_check as scale_check,
    scaled_runs as scaled_runs,
    sigma_check as sigma_check,
    size_check as size_check,
)
from .comparison import (
    COHENS_D_WARNING as COHENS_D_WARNING,
    PROCEED_FROM as PROCEED_FROM,
    REVERT_BELOW as REVERT_BELOW,
    compare_result as compare_result,
)
from .effect import effect_in_units as effect_in_units
from .figures import confirmation as confirmation
from .looks import (
    LookRule as LookRule,
    look_result as look_result,
    verdict as verdict,
)
from .pairs import pairs_of as pairs_of, value_problem as value_problem
from .screening import (
    SCREENING_SLOTS as SCREENING_SLOTS,
    screen_result as screen_result,
    survivor as survivor,
)
