from .mad import mad_confidence as mad_confidence
from .student import student_tail as student_tail
