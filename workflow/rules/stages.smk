# One checkpoint a stage. Approvals and documents come in as ancient() inputs, so that times never cause a rerun;
# what people and earlier stages ask of it comes in as one parameter, so that content does.


for _stage in SESSION.table:

    checkpoint:
        name:
            _stage.name
        input:
            unpack(approved(_stage)),
        output:
            summary=report(
                at(SESSION.layout.summary(_stage.key)),
                caption="../report/stage.rst",
                category="Stages",
                labels={"stage": _stage.nr, "title": _stage.title},
            ),
            offer=at(SESSION.layout.offer(_stage.key)),
        log:
            at(SESSION.layout.logs / f"{_stage.key}.log"),
        localrule: True
        conda:
            "../envs/flagstone.yaml"
        params:
            nr=_stage.nr,
            request=lambda wildcards, stage=_stage: SESSION.request(stage),
        message:
            f"Stage {_stage.nr} {_stage.title}: an agent works on it"
        shell:
            '"$FLAGSTONE_PYTHON" "$FLAGSTONE_SCRIPTS/stage.py" {params.nr} --offer {output.offer:q} --log {log:q}'
