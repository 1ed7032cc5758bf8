from .times import next_time as next_time, timing_problem as timing_problem
