# Flagstone: start reading here. A run has eight stages. A person approves each of them by touching a file.
#
#   flagstone new attn --goal "…"                  creates runs/attn/
#   snakemake --cores 4 --config run=attn          runs to the first closed gate, and says what to read
#   touch runs/attn/approved/01.flag               opens the gate
#
# The order of the includes is the table of contents. All logic is in src/flagstone/.
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/bootstrap.smk"
include: "workflow/rules/gates.smk"


report: "workflow/report/workflow.rst"


# Builds every stage up to and including the first one whose gate is closed.
rule all:
    input:
        frontier,
    localrule: True


include: "workflow/rules/stages.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/trials.smk"
include: "workflow/rules/markers.smk"
include: "workflow/rules/release.smk"
