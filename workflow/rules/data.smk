# From raw trees to splits. A shard of videos or images is the unit of parallel work.
rule sample:
    output:
        inventory="data/raw/sample/{task}.json",
        annotations="data/raw/sample/{task}.csv",
    log:
        "logs/sample/{task}.log",
    threads: 1
    params:
        section=read("sample"),
        code=code("sample"),
        tree=lambda wc, output: output[0].removesuffix(".json"),
    shell:
        "exec lssat sample --tree {wildcards.task} --out {params.tree} --inventory {output.inventory}"
        " --annotations {output.annotations} --params {params.section:q} > {log} 2>&1"


rule manifest:
    input:
        raw_input,
    output:
        table="data/prepared/{task}/manifest.parquet",
        rejects="data/prepared/{task}/manifest.rejects.parquet",
    log:
        "logs/manifest/{task}.log",
    priority: 2  # before all faces: it says what no detection of faces can mend
    threads: 1
    params:
        section=read("manifest"),
        code=code("manifest"),
        tree=raw_digest,
    shell:
        "exec lssat manifest --task {wildcards.task} --out {output.table}"
        " --rejects {output.rejects} --kept logs/manifest/{wildcards.task}.rejects.parquet"
        " --check params.yaml --params {params.section:q} > {log} 2>&1"


rule faces:
    input:
        "data/prepared/{task}/manifest.parquet",
    output:
        crops="data/prepared/{task}/faces/shard-{shard}.npy",
        table="data/prepared/{task}/faces/shard-{shard}.parquet",
        rejects="data/prepared/{task}/faces/shard-{shard}.rejects.parquet",
    log:
        "logs/faces/{task}-{shard}.log",
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
        " exec lssat faces --task {wildcards.task} --shard {wildcards.shard} --manifest {input}"
        " --out {output.crops} --table {output.table} --rejects {output.rejects}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule texture:
    input:
        crops="data/prepared/{task}/faces/shard-{shard}.npy",
        table="data/prepared/{task}/faces/shard-{shard}.parquet",
    output:
        codes=f"data/prepared/{{task}}/texture/{TEXTURE}/shard-{{shard}}.npy",
        table=f"data/prepared/{{task}}/texture/{TEXTURE}/shard-{{shard}}.parquet",
    log:
        "logs/texture/{task}-{shard}.log",
    threads: 1
    params:
        section=read("texture"),
        code=code("texture"),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat texture --faces {input.crops} --faces-table {input.table} --out {output.codes}"
        " --table {output.table} --params {params.section:q} > {log} 2>&1"


rule splits:
    input:
        manifest="data/prepared/{task}/manifest.parquet",
        rejects="data/prepared/{task}/manifest.rejects.parquet",
        faces=lambda wc: shards(wc.task, "data/prepared/{task}/faces/shard-{shard}.parquet"),
        faces_rejects=lambda wc: shards(
            wc.task, "data/prepared/{task}/faces/shard-{shard}.rejects.parquet"
        ),
    output:
        train="data/prepared/{task}/splits/train.parquet",
        val="data/prepared/{task}/splits/val.parquet",
        test="data/prepared/{task}/splits/test.parquet",
        summary="data/prepared/{task}/splits/summary.json",
        ids=[f"data/prepared/{{task}}/splits/{name}.txt" for name in SPLIT_NAMES],
    log:
        "logs/splits/{task}.log",
    threads: 1
    params:
        section=read("splits"),
        code=code("splits"),
        faces=lambda wc, input: [f"--faces {file}" for file in input.faces],
        rejects=lambda wc, input: [f"--faces-rejects {file}" for file in input.faces_rejects],
    shell:
        "exec lssat splits --task {wildcards.task} --manifest {input.manifest}"
        " --manifest-rejects {input.rejects} {params.faces} {params.rejects}"
        " --train {output.train} --val {output.val} --test {output.test}"
        " --summary {output.summary} --params {params.section:q} > {log} 2>&1"


rule audit:
    input:
        manifest="data/prepared/{task}/manifest.parquet",
        faces=lambda wc: shards(wc.task, "data/prepared/{task}/faces/shard-{shard}.parquet"),
        splits=[f"data/prepared/{{task}}/splits/{file}" for file in SPLIT_FILES],
    output:
        json="data/prepared/{task}/audit.json",
        table="data/prepared/{task}/audit.parquet",
    log:
        "logs/audit/{task}.log",
    threads: 1
    params:
        code=code("audit"),
        faces=lambda wc, input: [f"--faces {file}" for file in input.faces],
        splits=lambda wc, input: os.path.dirname(input.splits[0]),
    shell:
        "exec lssat audit --manifest {input.manifest} {params.faces} --splits {params.splits}"
        " --out {output.json} --table {output.table} > {log} 2>&1"


# Apart from the audit, which training waits for: another distance retrains nothing.
rule lookalikes:
    input:
        faces=lambda wc: shards(wc.task, "data/prepared/{task}/faces/shard-{shard}.parquet"),
        splits=[f"data/prepared/{{task}}/splits/{file}" for file in SPLIT_FILES],
    output:
        json="data/prepared/{task}/lookalikes.json",
        table="data/prepared/{task}/lookalikes.parquet",
    log:
        "logs/lookalikes/{task}.log",
    priority: 1  # before training where both can run: what it finds may stop everything
    threads: 1
    params:
        section=read("lookalikes"),
        code=code("lookalikes"),
        faces=lambda wc, input: [f"--faces {file}" for file in input.faces],
        splits=lambda wc, input: os.path.dirname(input.splits[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat lookalikes --task {wildcards.task} {params.faces} --splits {params.splits}"
        " --out {output.json} --table {output.table} --params {params.section:q} > {log} 2>&1"


rule audit_cross:
    input:
        faces=lambda wc: shards(wc.task, "data/prepared/{task}/faces/shard-{shard}.parquet"),
        splits=[f"data/prepared/{{task}}/splits/{file}" for file in SPLIT_FILES],
        trained_faces=lambda wc: shards("ffpp", "data/prepared/{task}/faces/shard-{shard}.parquet"),
        trained_splits=[f"data/prepared/ffpp/splits/{file}" for file in SPLIT_FILES],
    output:
        json="data/prepared/{task}/audit_cross.json",
        table="data/prepared/{task}/audit_cross.parquet",
    log:
        "logs/audit_cross/{task}.log",
    priority: 1  # as the look-alikes
    threads: 1
    params:
        section=read("audit_cross"),
        code=code("audit_cross"),
        faces=lambda wc, input: [f"--faces {file}" for file in input.faces],
        splits=lambda wc, input: os.path.dirname(input.splits[0]),
        trained=lambda wc, input: [f"--trained-faces {file}" for file in input.trained_faces],
        trained_splits=lambda wc, input: os.path.dirname(input.trained_splits[0]),
    shell:
        "exec lssat audit-cross --dataset {wildcards.task} {params.faces} --splits {params.splits}"
        " {params.trained} --trained-splits {params.trained_splits}"
        " --out {output.json} --table {output.table} --params {params.section:q} > {log} 2>&1"


# Targets that stand for all shards of a task's data, for DVC's stages.
for TASK in TASKS + CROSS:

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
