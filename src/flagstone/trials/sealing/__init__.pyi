from .basis import (
    SharedBasis as SharedBasis,
    basis_of as basis_of,
    data_digest as data_digest,
    difference_of_facts as difference_of_facts,
    difference_text as difference_text,
    facts_fault as facts_fault,
    shared_basis as shared_basis,
)
from .journal import earlier_trials as earlier_trials, key_of as key_of, next_number as next_number
from .prereg import (
    FAULT as FAULT,
    BaselineFacts as BaselineFacts,
    Prereg as Prereg,
    edit_text as edit_text,
    hiding_fault as hiding_fault,
    looks_of as looks_of,
    prereg_fault as prereg_fault,
    prereg_problems as prereg_problems,
    seal_prereg as seal_prereg,
)
from .seeds import (
    SealedSeeds as SealedSeeds,
    make_sealed as make_sealed,
    sealed_seeds as sealed_seeds,
    seed_for as seed_for,
    wait_for_viewers as wait_for_viewers,
)
