# One checkpoint for each stage. Flags and documents are ancient() inputs, so that file times never cause a rerun.
# What people and earlier stages ask of the stage is one parameter, so that a change of content does.


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
            f"Stage {_stage.nr} {_stage.title}: running the agent"
        shell:
            '"$FLAGSTONE_PYTHON" -SE "$FLAGSTONE_SCRIPTS/stage.py" {params.nr} --offer {output.offer:q} --log {log:q}'
