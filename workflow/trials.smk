# One trial of any project, without a run. `flagstone trials run` starts it in the folder of the trial, and so does
#
#   snakemake --snakefile …/workflow/trials.smk --directory .flagstone/trials/NAME --cores 4
#
# The rules are those that trials of a run have. The trial waits for nobody: who starts it approves its plan.
import gc
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")
gc.freeze()  # what Snakemake has loaded is no garbage, and takes long to look through
HOME = Path(str(workflow.current_basedir)).parent
sys.path.insert(0, str(HOME / "src"))

from flagstone.cli.jobs.lone_trial import LoneTrial
from flagstone.cli.jobs.served_jobs import is_done_by_server
from flagstone.cli.jobs.snakemake_imports import spare_pandas
from flagstone.experiments.measuring import devices
from flagstone.gates import export

export(HOME)
spare_pandas()
SESSION = LoneTrial(Path.cwd())
at = str

for _name, _count in (("sequential", 1), ("gpu", max(1, len(devices())))):
    if _name not in workflow.global_resources:
        workflow.register_resource(_name, _count)


def behind_the_gate(wildcards):
    return {}


def end_of_trial(wildcards):
    """The look that comes next, until the trial has ended."""
    if workflow.is_main_process and not workflow.dryrun and workflow.local_exec:
        SESSION.begin_call()
        # a limit would keep the scheduler busy while jobs wait for a core
        workflow.scheduling_settings.max_jobs_per_timespan = None
    return at(SESSION.plan.target)


rule all:
    input:
        end_of_trial,
    localrule: True


include: "rules/trials.smk"


def serve(name, job):
    """Has the process that has everything loaded do the jobs of a rule. Without it, their shell command does them."""
    found = workflow.get_rule(name)
    by_shell = found.run_func

    def do(*given):
        if not is_done_by_server(job, given):
            by_shell(*given)

    found.run_func = do


serve("trial_run", "run")
serve("look", "look")
