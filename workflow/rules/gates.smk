# The input functions of the rules. They translate between Snakemake and SESSION.
from flagstone.cli.jobs.job_errors import listen_to_jobs
from flagstone.experiments.measuring import devices


def prepare_jobs():
    """Called by an input function: the executor is not known while Snakemake reads the rules."""
    if is_executing() and not is_local():
        # a job that a scheduler refuses cannot report that itself
        listen_to_jobs(SESSION.layout)
    elif is_executing() and "gpu" not in workflow.global_resources:
        # Snakemake does not limit a resource without a number; --resources gpu=N or a profile can set another one
        workflow.register_resource("gpu", max(1, len(devices())))


def lift_job_limit():
    """Starts local jobs as soon as a core is free. A limit would keep the scheduler busy while jobs wait."""
    if is_executing() and is_local():
        workflow.scheduling_settings.max_jobs_per_timespan = None


if "sequential" not in workflow.global_resources:
    # one run at a time of the trials that are set to that
    workflow.register_resource("sequential", 1)


def bring_up_to_date(stage):
    """Raises Snakemake's own exception until the stage is finished. Snakemake then calls the input function again."""
    getattr(checkpoints, stage.name).get()


def frontier(wildcards):
    lift_job_limit()
    try:
        documents = SESSION.gates.targets(bring_up_to_date)
        derived = [*SESSION.pictures(), *SESSION.bundles()]
        return [at(path) for path in [*documents, *derived]]
    except FlagstoneError as error:
        end_call(error)


def approved(stage):
    def inputs(wildcards):
        lift_job_limit()
        try:
            documents, flags = SESSION.gates.inputs(stage, bring_up_to_date)
        except FlagstoneError as error:
            end_call(error)
        if stage.runs_experiments:
            prepare_jobs()
        return {
            "documents": [ancient(at(path)) for path in documents],
            "flags": [ancient(at(path)) for path in flags],
            "experiments": [ancient(at(path)) for path in SESSION.experiments(stage)],
        }

    return inputs


def behind_the_gate(wildcards):
    """The approvals that the stage with experiments needs before they run."""
    stage = SESSION.experimenter
    found = approved(stage)(wildcards) if stage else {}
    return {key: found[key] for key in ("documents", "flags") if key in found}


def next_sessions(wildcards):
    """What the sessions make that `--config marker=` asks for."""
    from flagstone.cli.jobs.marker import next_tables

    try:
        return next_tables(str(config.get("marker") or ""), CALLER)
    except FlagstoneError as error:
        end_call(error)


def needs_of_session(what):
    def number(wildcards):
        from flagstone.cli.jobs.marker import session_needs

        return session_needs(wildcards.repository, wildcards.marker)[what]

    return number
