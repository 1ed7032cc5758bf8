"""Evaluates the working files as they are now: one command a run, for whoever edits them."""

from __future__ import annotations

from dataclasses import replace

from flagstone.experiments.candidates import Candidate, note_that_changed
from flagstone.experiments.engine.engine import Engine
from flagstone.experiments.engine.opening import facts_of
from flagstone.experiments.engine.proposing import baseline_candidate
from flagstone.experiments.ledger import Entry
from flagstone.plans import run_id


def is_unedited(engine: Engine) -> bool:
    return engine.working.is_unedited(engine.best_tree)


def run_step(engine: Engine, note: str) -> Entry:
    """The verdict on the working files; before the first one, the unedited files are measured."""
    if engine.history.progress.best is not None:
        return engine.conclude(*engine.prepare(lambda: working_candidate(engine, note, engine.next_number)))
    # taken first: the verdict on the unedited files puts those back into the working folder
    made = None if is_unedited(engine) else working_candidate(engine, note, engine.next_number + 1)
    try:
        entry = engine.conclude(*engine.prepare(lambda: baseline_candidate(engine.opened, engine.next_number)))
    finally:
        if made is not None and not made.snapshot.violations:
            engine.working.put_back(made.snapshot.tree, made.number)
    if made is None:
        return entry
    engine.halt_on(entry)
    return engine.conclude(*engine.prepare(lambda: made))


def working_candidate(engine: Engine, note: str, number: int) -> Candidate:
    """The working files as a candidate, noted as stored once that is so."""
    opened, now = engine.opened, engine.history.progress.best
    parent = replace(opened.base, tree=now.tree, commit=now.commit) if now else opened.base
    subject, entry, seen = opened.subject, opened.spec.subject.entry, engine.working.files()
    note = note or note_that_changed(subject.files(parent.tree).get(entry), opened.home.working / entry)
    taken = subject.take(opened.home.working, parent, note or run_id(number), number)
    before = now.run_id if now else run_id(number - 1)
    made = Candidate(number, before, parent.tree, taken, note, facts=facts_of(opened, taken.tree))
    subject.show(opened.home.run(run_id(number)), taken)
    made.keep(opened.home.run(run_id(number)))
    if not taken.violations:  # what may not be part of a candidate is kept aside when the files are put right
        engine.working.note(taken.tree, seen, edit_of=number)
    return made
