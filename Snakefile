# Flagstone: read this first. A run is eight stages; between two of them stands a file that a person touches.
#
#   flagstone new attn --goal "…"                  creates runs/attn/
#   snakemake --cores 4 --config run=attn          builds up to the first gate and says what to read
#   touch runs/attn/approved/01.flag               opens it
#
# The order of the includes is the table of contents. All logic lives in src/flagstone/, which never imports Snakemake.
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/bootstrap.smk"
include: "workflow/rules/gates.smk"


report: "workflow/report/workflow.rst"


# What "all" means: every stage up to and including the first one whose gate is closed.
rule all:
    input:
        frontier,
    localrule: True


include: "workflow/rules/stages.smk"
include: "workflow/rules/experiments.smk"
