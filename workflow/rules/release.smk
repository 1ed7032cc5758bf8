# The bundle of a run whose stages are all approved. It is packed again when a decision changes, or when it is missing.


rule bundle:
    output:
        packed=at(SESSION.layout.packed),
    log:
        at(SESSION.layout.logs / "bundle.log"),
    localrule: True
    conda:
        "../envs/flagstone.yaml"
    params:
        decisions=lambda wildcards: SESSION.decisions,
    message:
        "Packing the bundle of the run"
    shell:
        '"$FLAGSTONE_PYTHON" "$FLAGSTONE_SCRIPTS/bundle.py" {output.packed:q} 2> {log:q}'
