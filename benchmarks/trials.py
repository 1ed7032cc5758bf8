"""How often a campaign publishes what does nothing, and how often it finds a real idea: both gates, simulated."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from flagstone.trials.outcomes import Outcome
from measured.rounds import promise
from measured.simulated_trials import Ended, World, cohens_d_campaigns, confirm_campaigns, outcomes

CAMPAIGNS = 10_000
NULLS = (0.0, 0.0, 0.0)
CORRELATED = World(correlation=0.5)
WORTH_HAVING = World(correlation=0.5, minimum_effect=0.5)
STATED = {  # share of campaigns that find the real idea of three, by its d: independent pairs, pairs correlated .5
    1.0: (0.36, 0.66),
    2.0: (0.93, 0.998),
    3.0: (0.999, 1.0),
}
WORST_WRONG = 0.05


def main() -> None:
    print(f"{CAMPAIGNS} simulated campaigns or ideas a line, normal noise, through the product's own functions")
    print("(s.e.: of the figure found; stated: what a trial promises; runs: of a campaign, checks included)")
    print(f"{'what':<72}{'found':>8}{'s.e.':>8}{'stated':>8}{'runs':>8}")
    wrong, runs = papers(confirm_campaigns(CAMPAIGNS, NULLS))
    line("confirm: a paper although nothing works", wrong, 0.03, runs)
    for d, stated in STATED.items():
        for world, share in zip((World(), CORRELATED), stated, strict=True):
            ended = list(confirm_campaigns(CAMPAIGNS, (0.0, d, 0.0), world))
            words = f", pairs correlated {world.correlation:g}" if world.correlation else ""
            found = share_of(each.accepted == 1 for each in ended)
            line(f"confirm: the real idea is found, d = {d:g}{words}", found, share, papers(ended)[1])
    shares()
    by_cohens_d()
    failing()
    promise("campaigns that end in a wrong paper", wrong, WORST_WRONG)


def failing() -> None:
    """Confirmations of an idea that does nothing, some of whose runs fail."""
    for what, world, stated in (
        ("20 % of treated runs fail", World(treated_fails=0.2), 0.014),
        ("20 % of control runs fail", World(control_fails=0.2), 0.037),
        ("treated runs crash rather than be 1 sd worse", World(gives_up_above=1.0), None),
    ):
        found = share_of(word == Outcome.SUPPORTED for word in outcomes(CAMPAIGNS, 0.0, world))
        line(f"confirm: SUPPORTED though it does nothing, {what}", found, stated)
        promise(f"ideas that are SUPPORTED though they do nothing, {what}", found, WORST_WRONG)


def shares() -> None:
    """How the words are dealt out, at a minimum effect of half an sd and pairs correlated .5."""
    for d, stated in (
        (0.0, {Outcome.INCONCLUSIVE: 0.61, Outcome.NO_PRACTICAL_EFFECT: 0.31}),
        (-1.0, {Outcome.HARMFUL: 0.81}),
    ):
        found = outcomes(CAMPAIGNS, d, WORTH_HAVING)
        for word, share in stated.items():
            line(f"confirm: {word}, d = {d:g}, minimum effect .5 sd", share_of(each == word for each in found), share)


def by_cohens_d() -> None:
    line("cohens_d: an idea that does nothing proceeds", papers(cohens_d_campaigns(CAMPAIGNS, NULLS[:1]))[0], 0.32)
    wrong, runs = papers(cohens_d_campaigns(CAMPAIGNS, NULLS))
    line("cohens_d: a paper although nothing works", wrong, 0.55, runs)


def papers(campaigns: Iterable[Ended]) -> tuple[float, float]:
    """The share of campaigns that end in a paper, and the mean number of their runs."""
    ended = list(campaigns)
    return share_of(each.accepted is not None for each in ended), sum(each.runs for each in ended) / len(ended)


def share_of(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found)


def line(what: str, share: float, stated: float | None, runs: float | None = None) -> None:
    error = sqrt(share * (1 - share) / CAMPAIGNS)
    expected = "" if stated is None else f"{stated:.1%}"
    print(f"{what:<72}{share:>8.1%}{error:>8.2%}{expected:>8}{'' if runs is None else f'{runs:.1f}':>8}", flush=True)


if __name__ == "__main__":
    main()
