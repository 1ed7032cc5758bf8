"""Our quantiles and probabilities against those of scipy, over all that a trial can ask."""

from __future__ import annotations

import itertools

import pytest
from scipy import stats

from flagstone.statistics.quantiles import noncentral_t_tail, noncentrality, t_cdf, t_quantile, t_tail

FREEDOMS = (1, 2, 3.7, 4, 9, 14.2, 29, 120, 999, 5000)
VALUES = (-30.0, -4.0, -1.0, -0.1, 0.0, 0.3, 1.0, 2.5, 6.0, 20.0, 200.0)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_student(freedom: float) -> None:
    for value in VALUES:
        assert t_tail(value, freedom) == pytest.approx(stats.t.sf(value, freedom), rel=1e-9, abs=1e-300)
        assert t_cdf(value, freedom) == pytest.approx(stats.t.cdf(value, freedom), rel=1e-9, abs=1e-300)
    for level in (0.001, 0.025, 0.5, 0.9, 0.975, 0.9995):
        assert t_quantile(level, freedom) == pytest.approx(stats.t.ppf(level, freedom), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_noncentral(freedom: float) -> None:
    for value, shift in itertools.product((-2.0, 0.5, 1.9, 3.0, 8.0), (-1.0, 0.0, 0.7, 2.0, 5.0)):
        wanted = stats.nct.sf(value, freedom, shift)
        assert noncentral_t_tail(value, freedom, shift) == pytest.approx(wanted, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_the_noncentrality_is_where_scipy_has_the_same_probability(freedom: float) -> None:
    for value, level in itertools.product((-6.0, -0.4, 0.9, 3.2, 12.0), (0.025, 0.5, 0.975)):
        found = noncentrality(value, freedom, level)
        assert stats.nct.cdf(value, freedom, found) == pytest.approx(level, abs=1e-8)
