# A trial is a chain of steps. Each step needs some runs, and one look at their records decides it. The graph contains
# only the next step of each trial. The ledger records how far a trial is, and no rule has the ledger as its output.


rule trial_run:
    input:
        unpack(behind_the_gate),
    output:
        record=at(SESSION.trials / "{trial}" / "records" / "{arm}-{slot}.json"),
    log:
        at(SESSION.trials / "{trial}" / "logs" / "{arm}-{slot}.log"),
    wildcard_constraints:
        trial=r"[A-Za-z0-9][A-Za-z0-9._-]*",
        arm=r"[A-Za-z0-9][A-Za-z0-9_.]*(-off)?",
        slot=r"[ab][0-9]+(r[0-9]+)?",
    conda:
        "../envs/flagstone.yaml"
    resources:
        gpu=lambda wildcards: SESSION.trial(wildcards.trial).needs["gpu"],
        runtime=lambda wildcards: SESSION.trial(wildcards.trial).needs["runtime"],
        sequential=lambda wildcards: SESSION.trial(wildcards.trial).needs["sequential"],
    params:
        basis=lambda wildcards: SESSION.trial(wildcards.trial).basis(
            wildcards.arm, wildcards.slot
        ),
    message:
        "Trial {wildcards.trial}: run {wildcards.arm}-{wildcards.slot}"
    shell:
        '"$FLAGSTONE_PYTHON" -SE "$FLAGSTONE_SCRIPTS/trial.py" run {output.record:q} --log {log:q}'


checkpoint look:
    input:
        unpack(behind_the_gate),
        records=lambda wildcards: [
            at(path)
            for path in SESSION.trial(wildcards.trial).records(int(wildcards.step))
        ],
    output:
        look=at(SESSION.trials / "{trial}" / "looks" / "{step}.json"),
    log:
        at(SESSION.trials / "{trial}" / "logs" / "look-{step}.log"),
    wildcard_constraints:
        trial=r"[A-Za-z0-9][A-Za-z0-9._-]*",
        step=r"[0-9]+",
    localrule: True
    conda:
        "../envs/flagstone.yaml"
    params:
        plan=lambda wildcards: SESSION.trial(wildcards.trial).digest,
    message:
        "Trial {wildcards.trial}: step {wildcards.step}"
    shell:
        '"$FLAGSTONE_PYTHON" -SE "$FLAGSTONE_SCRIPTS/trial.py" look {output.look:q} --log {log:q}'
