# `snakemake marker_results --cores 4 --config marker=PATH:NAME,…` runs one session of each marker. A session that was
# killed goes on. The ledger of the marker records how far it is, and no rule has the ledger as its output.
if config.get("marker"):
    from flagstone.cli.jobs.marker import MarkerSessions

    MARKERS = MarkerSessions(str(config["marker"]), CALLER)


def marker_tables(wildcards):
    if not config.get("marker"):
        end_call(
            FlagstoneError(
                "no marker is named",
                hint="snakemake marker_results --cores 4 --config marker=PATH:NAME,…",
            )
        )
    try:
        return list(MARKERS.markers)
    except FlagstoneError as error:
        end_call(error)


def table_of(wildcards):
    return "{repository}/.flagstone/markers/{marker}/tables/{session}.tsv".format(
        **wildcards
    )


rule marker_results:
    input:
        marker_tables,
    localrule: True


rule marker_session:
    output:
        "{repository}/.flagstone/markers/{marker}/tables/{session}.tsv",
    log:
        "{repository}/.flagstone/markers/{marker}/tables/{session}.log",
    wildcard_constraints:
        repository=r"/.+",
        marker=r"[A-Za-z0-9][A-Za-z0-9._ -]*",
        session=r"[0-9]+",
    conda:
        "../envs/flagstone.yaml"
    threads: lambda wildcards: MARKERS.threads(table_of(wildcards))
    resources:
        gpu=lambda wildcards: MARKERS.needs(table_of(wildcards))["gpu"],
        runtime=lambda wildcards: MARKERS.needs(table_of(wildcards))["runtime"],
    message:
        "Marker {wildcards.marker} of {wildcards.repository}: one session"
    shell:
        """
        marker() {{
            "$FLAGSTONE_PYTHON" -m flagstone.cli.main marker "$@" --repo {wildcards.repository:q} -m {wildcards.marker:q}
        }}
        marker run --head 2>&1 | tee {log:q}
        marker results > {output:q}
        """
