from .recomputed import claim_checks as claim_checks
