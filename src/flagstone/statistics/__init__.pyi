from .gain import deviation as deviation, evidence as evidence, least_chance as least_chance, mean as mean
from .mad import mad_confidence as mad_confidence
