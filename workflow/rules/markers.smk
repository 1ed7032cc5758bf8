# `snakemake marker_results --cores 4 --config marker=PATH:NAME,…` runs one session of each marker. A session that was
# killed goes on. The ledger of the marker records how far it is, and no rule has the ledger as its output.


rule marker_results:
    input:
        next_sessions,
    localrule: True


rule marker_session:
    output:
        "{repository}/.flagstone/markers/{marker}/tables/{session}.tsv",
    log:
        "{repository}/.flagstone/markers/{marker}/tables/{session}.log",
    wildcard_constraints:
        repository=r".+",
        marker=r"[A-Za-z0-9][A-Za-z0-9._ -]*",
        session=r"[0-9]+",
    conda:
        "../envs/flagstone.yaml"
    threads: needs_of_session("threads")
    resources:
        gpu=needs_of_session("gpu"),
        runtime=needs_of_session("runtime"),
    message:
        "Marker {wildcards.marker} of {wildcards.repository}: one session"
    shell:
        '"$FLAGSTONE_PYTHON" -m flagstone.cli.main marker run --head --repo {wildcards.repository:q}'
        " -m {wildcards.marker:q} 2>&1 | tee {log:q} && "
        '"$FLAGSTONE_PYTHON" -m flagstone.cli.main marker results --repo {wildcards.repository:q}'
        " -m {wildcards.marker:q} > {output:q}"
