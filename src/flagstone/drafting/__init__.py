"""One stage's attempt: prompt, agent, checks, repair, promotion; memory and handoff for the next."""
