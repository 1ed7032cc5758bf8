# One checkpoint rule runs all experiments, one block of runs per job. The graph contains only the next block of each
# experiment. The ledger records how far an experiment is, and no rule has the ledger as its output.


checkpoint iterate:
    input:
        unpack(behind_the_gate),
    output:
        block=at(SESSION.layout.block("{experiment}", "{block}")),
    log:
        at(SESSION.layout.logs / "experiment-{experiment}-{block}.log"),
    wildcard_constraints:
        experiment=r"[A-Za-z0-9][A-Za-z0-9._-]*",
        block=r"[0-9]+",
    conda:
        "../envs/flagstone.yaml"
    resources:
        gpu=lambda wildcards: SESSION.plan(wildcards.experiment).resources()["gpu"],
        runtime=lambda wildcards: SESSION.plan(wildcards.experiment).resources()[
            "runtime"
        ],
    params:
        plan=lambda wildcards: SESSION.plan(wildcards.experiment).digest,
    message:
        "Experiment {wildcards.experiment}: block {wildcards.block}"
    shell:
        '"$FLAGSTONE_PYTHON" -SE "$FLAGSTONE_SCRIPTS/iterate.py" {output.block:q} --log {log:q}'


rule picture:
    input:
        done=ancient(at(SESSION.layout.experiments / "{experiment}" / "done.json")),
    output:
        report(
            at(SESSION.layout.experiments / "{experiment}" / "progress.svg"),
            caption="../report/experiment.rst",
            category="Experiments",
            labels={"experiment": "{experiment}"},
        ),
    log:
        at(SESSION.layout.logs / "experiment-{experiment}-picture.log"),
    wildcard_constraints:
        experiment=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    localrule: True
    conda:
        "../envs/flagstone.yaml"
    params:
        plan=lambda wildcards: SESSION.plan(wildcards.experiment).digest,
    message:
        "Experiment {wildcards.experiment}: drawing all runs"
    shell:
        '"$FLAGSTONE_PYTHON" "$FLAGSTONE_SCRIPTS/picture.py" {output:q} 2> {log:q}'
