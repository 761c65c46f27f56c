# From raw trees to splits. A shard of videos or images is the unit of parallel work.
rule sample:
    output:
        inventory=HERE.sample.inventory("{task}"),
        annotations=HERE.sample.annotations("{task}"),
    log:
        HERE.log("sample", "{task}"),
    threads: 1
    params:
        section=read("sample"),
        code=code("sample"),
    shell:
        "exec lssat sample --tree {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule manifest:
    input:
        raw_input,
    output:
        DATA.manifest,
        DATA.rejects,
    log:
        HERE.log("manifest", "{task}"),
    priority: 2  # before all faces: it says what no detection of faces can mend
    threads: 1
    params:
        section=read("manifest"),
        code=code("manifest"),
        tree=raw_digest,
    shell:
        "exec lssat manifest --task {wildcards.task} --check --params {params.section:q}"
        " > {log} 2>&1"


rule faces:
    input:
        DATA.manifest,
    output:
        DATA.faces.shard("{shard}"),
    log:
        HERE.log("faces", "{task}-{shard}"),
    threads: 1
    resources:
        gpu=lambda wc: GPUS if detects(wc.task) else 0,
        slurm_partition=lambda wc: partition(GPUS if detects(wc.task) else 0),
    params:
        section=read("faces"),
        code=code("faces"),
        device=lambda wc: device(wc) if detects(wc.task) else "cpu",
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat faces --task {wildcards.task} --shard {wildcards.shard}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule texture:
    input:
        DATA.faces.shard("{shard}")[:2],
    output:
        DATA.texture(TEXTURE).shard("{shard}")[:2],
    log:
        HERE.log("texture", "{task}-{shard}"),
    threads: 1
    params:
        section=read("texture"),
        code=code("texture"),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat texture --task {wildcards.task} --shard {wildcards.shard}"
        " --params {params.section:q} > {log} 2>&1"


# What training waits for, in place of hundreds of shards for each of hundreds of runs.
rule shards:
    input:
        lambda wc: crops_of(wc.task),
        lambda wc: codes_of(wc.task),
    output:
        DATA.shards,
    log:
        HERE.log("shards", "{task}"),
    localrule: True
    threads: 1
    params:
        section=read("shards"),
        code=code("shards"),
    shell:
        "exec lssat shards --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule splits:
    input:
        DATA.manifest,
        lambda wc: tables_of(wc.task),
        lambda wc: rejects_of(wc.task),
    output:
        DATA.splits.files.values(),
    log:
        HERE.log("splits", "{task}"),
    threads: 1
    params:
        section=read("splits"),
        code=code("splits"),
    shell:
        "exec lssat splits --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


# Headers of the raw files alone: nothing is made of them but a baseline.
rule formats:
    input:
        DATA.manifest,
        lambda wc: tables_of(wc.task),
    output:
        DATA.formats,
    log:
        HERE.log("formats", "{task}"),
    threads: 1
    params:
        section=read("formats"),
        code=code("formats"),
    shell:
        "exec lssat formats --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule audit:
    input:
        DATA.manifest,
        lambda wc: tables_of(wc.task),
        DATA.splits.tables.values(),
    output:
        DATA.found("audit"),
    log:
        HERE.log("audit", "{task}"),
    threads: 1
    params:
        section=read("audit"),
        code=code("audit"),
    shell:
        "exec lssat audit --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


# Apart from the audit, which training waits for: another distance retrains nothing.
rule lookalikes:
    input:
        lambda wc: tables_of(wc.task),
        DATA.splits.tables.values(),
    output:
        DATA.found("lookalikes"),
    log:
        HERE.log("lookalikes", "{task}"),
    priority: 1  # before training where both can run: what it finds may stop everything
    threads: 1
    params:
        section=read("lookalikes"),
        code=code("lookalikes"),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat lookalikes --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule audit_cross:
    input:
        lambda wc: tables_of(wc.task),
        DATA.splits.tables.values(),
        lambda wc: tables_of(home(wc)),
        lambda wc: list(HERE.data(home(wc)).splits.tables.values()),
    output:
        DATA.found("audit_cross"),
    log:
        HERE.log("audit_cross", "{task}"),
    priority: 1  # as the look-alikes
    threads: 1
    params:
        section=read("audit_cross"),
        code=code("audit_cross"),
        home=home,
    shell:
        "exec lssat audit-cross --task {params.home} --dataset {wildcards.task}"
        " --params {params.section:q} > {log} 2>&1"


# Targets that stand for all shards of a task's data, for DVC's stages.
for TASK in SETS:

    rule:
        name:
            f"faces_{TASK}"
        input:
            crops_of(TASK),
            rejects_of(TASK),
        localrule: True

    rule:
        name:
            f"texture_{TASK}"
        input:
            codes_of(TASK),
        localrule: True
