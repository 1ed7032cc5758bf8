from .effect import (
    Effect as Effect,
    bias_factor as bias_factor,
    cohens_d as cohens_d,
    effect_d as effect_d,
    effect_dz as effect_dz,
    hedges_g as hedges_g,
    hedges_gz as hedges_gz,
)
from .exact import sign_flip as sign_flip, smallest_p as smallest_p
from .gain import deviation as deviation, evidence as evidence, least_chance as least_chance, mean as mean
from .mad import mad_confidence as mad_confidence
from .paired import (
    PairedTest as PairedTest,
    lower_bound as lower_bound,
    paired_test as paired_test,
    upper_bound as upper_bound,
)
from .power import (
    group_size as group_size,
    ladder_power as ladder_power,
    paired_power as paired_power,
    pairs_needed as pairs_needed,
    two_sample_power as two_sample_power,
)
from .quantiles import noncentrality as noncentrality, t_cdf as t_cdf, t_quantile as t_quantile
from .repeats import off_shift as off_shift, off_tolerance as off_tolerance
from .samples import (
    Direction as Direction,
    improvements as improvements,
    is_at_least as is_at_least,
    is_degenerate as is_degenerate,
)
from .two_sample import WelchTest as WelchTest, welch as welch, welch_test as welch_test
