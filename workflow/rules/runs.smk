# From splits to the report. One process a run for training, one a task for evaluation.
ruleorder: repeat > train


rule train:
    input:
        train="data/prepared/{task}/splits/train.parquet",
        val="data/prepared/{task}/splits/val.parquet",
        audit="data/prepared/{task}/audit.json",  # nothing is trained on a leak
        crops=lambda wc: crops_of(wc.task),
        # Supervised runs too: DVC cannot tell them apart, and both tools must agree.
        codes=lambda wc: codes_of(wc.task),
    output:
        multiext(
            "runs/{task}/{backbone}/{configuration}/seed{seed}/",
            *RUN_FILES,
        ),
    log:
        "logs/train/{task}/{backbone}/{configuration}/seed{seed}.log",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("train"),
        code=code("train"),
        device=device,
        run="{task}/{backbone}/{configuration}/seed{seed}",
        out=lambda wc, output: os.path.dirname(output[0]),
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
        codes=lambda wc, input: os.path.dirname(input.codes[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat train --run {params.run} --train {input.train} --val {input.val} --faces {params.faces}"
        " --codes {params.codes} --out {params.out} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


# A configuration whose own lambda_cls is the recipe's is trained once: this is its other name,
# for which DVC, whose matrices are full, has a stage.
rule repeat:
    input:
        lambda wc: multiext(
            f"runs/{wc.task}/{wc.backbone}/{REPEATS[wc.configuration]}/seed{wc.seed}/", *RUN_FILES
        ),
    output:
        multiext(
            "runs/{task}/{backbone}/{configuration}/seed{seed}/",
            *RUN_FILES,
        ),
    log:
        "logs/repeat/{task}/{backbone}/{configuration}/seed{seed}.log",
    wildcard_constraints:
        configuration="|".join(map(re.escape, REPEATS)) or "(?!)",
    localrule: True
    threads: 1
    params:
        run=lambda wc, input: os.path.dirname(input[0]),
        out=lambda wc, output: os.path.dirname(output[0]),
    shell:
        "lssat repeat --run {params.run} --out {params.out} > {log} 2>&1"


rule evaluate:
    input:
        splits=[f"data/prepared/{{task}}/splits/{file}" for file in SPLIT_FILES + ["summary.json"]],
        crops=lambda wc: crops_of(wc.task),
        codes=lambda wc: codes_of(wc.task),
        runs=lambda wc: runs_of(wc.task),
    output:
        predictions="results/tasks/{task}/predictions.parquet",
        metrics="results/tasks/{task}/metrics.json",
    log:
        "logs/evaluate/{task}.log",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("evaluate"),
        code=code("evaluate"),
        device=device,
        out=lambda wc, output: os.path.dirname(output.metrics),
        splits=lambda wc, input: os.path.dirname(input.splits[0]),
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
        codes=lambda wc, input: os.path.dirname(input.codes[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat evaluate --task {wildcards.task} --runs runs --splits {params.splits}"
        " --faces {params.faces} --codes {params.codes} --out {params.out}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule robustness:
    input:
        train="data/prepared/{task}/splits/train.parquet",
        test="data/prepared/{task}/splits/test.parquet",
        crops=lambda wc: crops_of(wc.task),
        runs=lambda wc: runs_of(wc.task),
    output:
        "results/tasks/{task}/robustness.json",
    log:
        "logs/robustness/{task}.log",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("robustness"),
        code=code("robustness"),
        device=device,
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat robustness --task {wildcards.task} --runs runs --train {input.train}"
        " --test {input.test} --faces {params.faces} --out {output} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


rule explain:
    input:
        test="data/prepared/{task}/splits/test.parquet",
        crops=lambda wc: crops_of(wc.task),
        codes=lambda wc: codes_of(wc.task),
        predictions="results/tasks/{task}/predictions.parquet",
        metrics="results/tasks/{task}/metrics.json",
        runs=lambda wc: runs_of(wc.task),
    output:
        json="results/explain/{task}/explain.json",
        maps="results/explain/{task}/explain.npz",
    log:
        "logs/explain/{task}.log",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("explain"),
        code=code("explain"),
        device=device,
        results=lambda wc, input: os.path.dirname(input.metrics),
        out=lambda wc, output: os.path.dirname(output.json),
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
        codes=lambda wc, input: os.path.dirname(input.codes[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat explain --task {wildcards.task} --runs runs --test {input.test}"
        " --faces {params.faces} --codes {params.codes} --results {params.results}"
        " --out {params.out} --device {params.device} --params {params.section:q} > {log} 2>&1"


# Alone on the machine: what runs beside it would be in its numbers. It has no input, and waits
# until no other job holds a core.
rule speed:
    output:
        "results/speed.json",
    log:
        "logs/speed.log",
    threads: whole_machine()
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("speed"),
        code=code("speed"),
        device=device,
    shell:
        "exec lssat speed --out {output} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


# Of faces: never shared, so DVC does not keep it.
rule gallery:
    input:
        explained=expand(
            "results/explain/{task}/{file}", task=TASKS, file=["explain.json", "explain.npz"]
        ),
        crops=[file for task in TASKS for file in crops_of(task)],
        codes=[file for task in TASKS for file in codes_of(task)],
        runs=[file for task in TASKS for file in runs_of(task)],
    output:
        "results/local/gallery.html",
    log:
        "logs/gallery.log",
    threads: 1
    params:
        section=read("gallery"),
        code=code("gallery"),
    shell:
        "exec lssat gallery --data data/prepared --explained results/explain --runs runs"
        " --out {output}"
        " --params {params.section:q} > {log} 2>&1"


rule cross:
    input:
        train="data/prepared/ffpp/splits/train.parquet",
        audit="data/prepared/{task}/audit.json",
        splits=[
            f"data/prepared/{{task}}/splits/{file}" for file in ["test.parquet", "summary.json"]
        ],
        crops=lambda wc: crops_of(wc.task),
        codes=lambda wc: codes_of(wc.task),
        runs=runs_of("ffpp"),
    output:
        predictions="results/tasks/ffpp/cross/{task}/predictions.parquet",
        metrics="results/tasks/ffpp/cross/{task}/metrics.json",
    log:
        "logs/cross/{task}.log",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("cross"),
        code=code("cross"),
        device=device,
        out=lambda wc, output: os.path.dirname(output.metrics),
        splits=lambda wc, input: os.path.dirname(input.splits[0]),
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
        codes=lambda wc, input: os.path.dirname(input.codes[0]),
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat cross --dataset {wildcards.task} --train {input.train} --runs runs"
        " --splits {params.splits} --faces {params.faces} --codes {params.codes}"
        " --out {params.out} --device {params.device} --params {params.section:q} > {log} 2>&1"


rule slices:
    input:
        predictions="results/tasks/{task}/predictions.parquet",
        metrics="results/tasks/{task}/metrics.json",
    output:
        "results/tasks/{task}/slices.json",
    log:
        "logs/slices/{task}.log",
    threads: 1
    params:
        section=read("slices"),
        code=code("slices"),
    shell:
        "exec lssat slices --task {wildcards.task} --predictions {input.predictions}"
        " --metrics {input.metrics} --out {output} --params {params.section:q} > {log} 2>&1"


rule slices_listed:
    input:
        predictions="results/tasks/{task}/predictions.parquet",
        metrics="results/tasks/{task}/metrics.json",
        manifest="data/prepared/{task}/manifest.parquet",
        annotations=lambda wc: LISTED[wc.task],
    output:
        "results/tasks/{task}/slices_listed.json",
    log:
        "logs/slices_listed/{task}.log",
    threads: 1
    params:
        section=read("slices_listed"),
        code=code("slices_listed"),
    shell:
        "exec lssat slices --task {wildcards.task} --predictions {input.predictions}"
        " --metrics {input.metrics} --annotations {input.annotations:q}"
        " --manifest {input.manifest} --out {output} --params {params.section:q} > {log} 2>&1"


rule track_slices:
    input:
        slices="results/tasks/{task}/{sliced}.json",
        tracked="results/mlflow/{task}.json",
    output:
        "results/mlflow/{sliced}/{task}.json",
    log:
        "logs/track_slices/{task}-{sliced}.log",
    wildcard_constraints:
        sliced="slices|slices_listed",
    threads: 1
    params:
        section=read("track_slices"),
        code=code("track_slices"),
    shell:
        "exec lssat track-slices --slices {input.slices} --tracked {input.tracked} --out {output}"
        " --params {params.section:q} > {log} 2>&1"


rule track_cross:
    input:
        metrics="results/tasks/ffpp/cross/{task}/metrics.json",
        tracked="results/mlflow/ffpp.json",
    output:
        "results/mlflow/cross/{task}.json",
    log:
        "logs/track_cross/{task}.log",
    threads: 1
    params:
        section=read("track_cross"),
        code=code("track_cross"),
    shell:
        "exec lssat track-cross --dataset {wildcards.task} --metrics {input.metrics}"
        " --tracked {input.tracked} --out {output} --params {params.section:q} > {log} 2>&1"


rule track:
    input:
        metrics="results/tasks/{task}/metrics.json",
        runs=lambda wc: runs_of(wc.task),
        report="results/report.html",  # first: MLflow may fail, the report stands
    output:
        "results/mlflow/{task}.json",
    log:
        "logs/track/{task}.log",
    threads: 1
    params:
        section=read("track"),
        code=code("track"),
    shell:
        "exec lssat track --task {wildcards.task} --runs runs --metrics {input.metrics}"
        " --out {output} --params {params.section:q} > {log} 2>&1"


rule report:
    input:
        results=expand(
            "results/tasks/{task}/{file}",
            task=TASKS,
            file=["metrics.json", "predictions.parquet", "robustness.json"],
        ),
        explained=expand(
            "results/explain/{task}/{file}", task=TASKS, file=["explain.json", "explain.npz"]
        ),
        cross=expand(
            "results/tasks/ffpp/cross/{task}/{file}",
            task=CROSS,
            file=["metrics.json", "predictions.parquet"],
        ),
        slices=slices_of(),
        speed="results/speed.json",
        summaries=expand("data/prepared/{task}/splits/summary.json", task=TASKS + CROSS),
        audits=expand(
            "data/prepared/{task}/{name}.json", task=TASKS + CROSS, name=["audit", "lookalikes"]
        ),
        across=expand("data/prepared/{task}/audit_cross.json", task=CROSS),
        tables=[file for task in TASKS for file in (*crops_of(task), *codes_of(task))],
        rejects=[file for task in TASKS + CROSS for file in rejects_of(task)],
        runs=[file for task in TASKS for file in runs_of(task)],
        asked=lambda wc: asked(),
    output:
        page=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Results",
            labels={"what": "the report"},
        ),
        figures=report(
            "results/figures.pdf",
            caption="../report/figures.rst",
            category="Results",
            labels={"what": "figures"},
        ),
        metrics="results/metrics.json",
        ranks="results/ranks.json",
        short=["results/headline.json", "results/curves.svg"],  # for DVC
        tables=report(
            multiext(
                "results/",
                *("table.csv", "subsets.csv", "attributes.csv", "classes.csv", "confusion.csv"),
                *("comparisons.csv", "runs.csv", "curves.csv", "rejects.csv", "slices.csv"),
                *("robustness.csv", "costs.csv", "tables.tex"),
            ),
            caption="../report/tables.rst",
            category="Tables",
        ),
    log:
        "logs/report.log",
    threads: 1
    params:
        section=read("report"),
        code=code("report"),
    shell:
        "exec lssat report --runs runs --data data/prepared --results results/tasks"
        " --explained results/explain --speed {input.speed} --out results"
        " --params {params.section:q} > {log} 2>&1"


rule track_report:
    input:
        files=expand(
            "results/{name}",
            name=["report.html", "figures.pdf", "tables.tex", "table.csv", "costs.csv"],
        ),
        tracked=expand("results/mlflow/{task}.json", task=TASKS),
        more=tracked_more(),
    output:
        "results/mlflow.json",
    log:
        "logs/track_report.log",
    threads: 1
    params:
        section=read("track_report"),
        code=code("track_report"),
    shell:
        "exec lssat track-report --results results --out {output} --params {params.section:q}"
        " > {log} 2>&1"
