# From splits to the report. One process a run for training, one a task for evaluation.
ruleorder: repeat > train


rule train:
    input:
        DATA.splits.train,
        DATA.splits.val,
        DATA.found("audit").json,  # nothing is trained on a leak
        # With codes, supervised runs too: DVC cannot tell them apart, and both tools must agree.
        lambda wc: shards_of(wc.task),
    output:
        RUN,
    log:
        HERE.log("train", grid.RUN),
    group:
        "trainings" if TOGETHER else None
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        runtime=10 if TOGETHER else 1440,  # minutes, on a cluster
        slurm_partition=partition(GPUS),
    params:
        section=read("train"),
        code=code("train"),
        device=device,
        run=grid.RUN,
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat train --run {params.run} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


# A configuration whose own lambda_cls is the recipe's is trained once: this is its other name,
# for which DVC, whose matrices are full, has a stage.
rule repeat:
    input:
        lambda wc: HERE.runs.run(repeated(wc)),
    output:
        RUN,
    log:
        HERE.log("repeat", grid.RUN),
    wildcard_constraints:
        configuration="|".join(map(re.escape, REPEATS)) or "(?!)",
    localrule: True
    threads: 1
    params:
        run=repeated,
        again=grid.RUN,
    shell:
        "lssat repeat --run {params.run} --again {params.again} > {log} 2>&1"


# Scores that another program gave the test split, held to it: a run beside those that are trained.
rule external:
    input:
        DATA.splits.files.values(),
        scores=lambda wc: EXTERNAL[OTHERS.format(**wc)],
    output:
        DATA.external.scores("{backbone}", "{seed}"),
    log:
        HERE.log("external", OTHERS),
    threads: 1
    params:
        section=read("external"),
        code=code("external"),
        run=OTHERS,
    shell:
        "exec lssat external --run {params.run} --scores {input.scores:q} > {log} 2>&1"


rule evaluate:
    input:
        DATA.splits.tables.values(),
        DATA.splits.summary,
        lambda wc: shards_of(wc.task),
        lambda wc: runs_of(wc.task),
        lambda wc: external_of(wc.task),
    output:
        RESULTS.predictions,
        RESULTS.metrics,
    log:
        HERE.log("evaluate", "{task}"),
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("evaluate"),
        code=code("evaluate"),
        device=device,
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat evaluate --task {wildcards.task} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


rule robustness:
    input:
        DATA.splits.train,
        DATA.splits.test,
        lambda wc: crops_of(wc.task),
        lambda wc: runs_of(wc.task),
    output:
        RESULTS.robustness,
    log:
        HERE.log("robustness", "{task}"),
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("robustness"),
        code=code("robustness"),
        device=device,
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat robustness --task {wildcards.task} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


# Trained on the training split's files, whatever the runs are.
rule format_probe:
    input:
        DATA.splits.train,
        DATA.splits.test,
        DATA.formats,
    output:
        RESULTS.format,
    log:
        HERE.log("format_probe", "{task}"),
    threads: 1
    params:
        section=read("format_probe"),
        code=code("format_probe"),
    shell:
        "exec lssat format-probe --task {wildcards.task} --params {params.section:q}"
        " > {log} 2>&1"


rule explain:
    input:
        DATA.splits.test,
        lambda wc: shards_of(wc.task),
        RESULTS.predictions,
        RESULTS.metrics,
        lambda wc: runs_of(wc.task),
    output:
        EXPLAINED.json,
        EXPLAINED.maps,
    log:
        HERE.log("explain", "{task}"),
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("explain"),
        code=code("explain"),
        device=device,
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat explain --task {wildcards.task} --device {params.device}"
        " --params {params.section:q} > {log} 2>&1"


# Alone on the machine: what runs beside it would be in its numbers. It has no input, and waits
# until no other job holds a core.
rule speed:
    output:
        HERE.results.speed,
    log:
        HERE.log("speed"),
    threads: whole_machine()
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("speed"),
        code=code("speed"),
        device=device,
    shell:
        "exec lssat speed --device {params.device} --params {params.section:q} > {log} 2>&1"


# Of faces: never shared, so DVC does not keep it.
rule gallery:
    input:
        expand([EXPLAINED.json, EXPLAINED.maps], task=TASKS),
        [file for task in TASKS for file in (*shards_of(task), *runs_of(task))],
    output:
        HERE.results.gallery,
    log:
        HERE.log("gallery"),
    threads: 1
    params:
        section=read("gallery"),
        code=code("gallery"),
    shell:
        "exec lssat gallery --params {params.section:q} > {log} 2>&1"


rule cross:
    input:
        HERE.data("{home}").splits.train,
        DATA.found("audit").json,
        DATA.splits.test,
        DATA.splits.summary,
        lambda wc: shards_of(wc.task),
        lambda wc: external_of(wc.task),
        lambda wc: runs_of(wc.home),
    output:
        ACROSS.predictions,
        ACROSS.metrics,
    log:
        HERE.log("cross", "{home}-{task}"),
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("cross"),
        code=code("cross"),
        device=device,
    shell:
        "$LSSAT_ASK {output} > {log} 2>&1 ||"
        " exec lssat cross --task {wildcards.home} --dataset {wildcards.task}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule slices:
    input:
        RESULTS.predictions,
        RESULTS.metrics,
    output:
        RESULTS.slices("slices"),
    log:
        HERE.log("slices", "{task}"),
    threads: 1
    params:
        section=read("slices"),
        code=code("slices"),
    shell:
        "exec lssat slices --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule slices_listed:
    input:
        RESULTS.predictions,
        RESULTS.metrics,
        DATA.manifest,
        lambda wc: LISTED[wc.task],
    output:
        RESULTS.slices("slices_listed"),
    log:
        HERE.log("slices_listed", "{task}"),
    threads: 1
    params:
        section=read("slices_listed"),
        code=code("slices_listed"),
    shell:
        "exec lssat slices --task {wildcards.task} --listed --params {params.section:q}"
        " > {log} 2>&1"


rule track_slices:
    input:
        RESULTS.slices("{sliced}"),
        HERE.results.mlflow("{task}"),
    output:
        HERE.results.mlflow("{sliced}/{task}"),
    log:
        HERE.log("track_slices", "{task}-{sliced}"),
    wildcard_constraints:
        sliced="slices|slices_listed",
    threads: 1
    params:
        section=read("track_slices"),
        code=code("track_slices"),
    shell:
        "exec lssat track --task {wildcards.task} --added {wildcards.sliced}"
        " --params {params.section:q} > {log} 2>&1"


rule track_cross:
    input:
        lambda wc: across(wc.task).metrics,
        lambda wc: HERE.results.mlflow(home(wc)),
    output:
        HERE.results.mlflow("cross/{task}"),
    log:
        HERE.log("track_cross", "{task}"),
    threads: 1
    params:
        section=read("track_cross"),
        code=code("track_cross"),
        home=home,
    shell:
        "exec lssat track --task {params.home} --added cross/{wildcards.task}"
        " --params {params.section:q} > {log} 2>&1"


rule track:
    input:
        RESULTS.metrics,
        lambda wc: runs_of(wc.task),
        REPORT["report"],  # first: MLflow may fail, the report stands
    output:
        HERE.results.mlflow("{task}"),
    log:
        HERE.log("track", "{task}"),
    threads: 1
    params:
        section=read("track"),
        code=code("track"),
    shell:
        "exec lssat track --task {wildcards.task} --params {params.section:q} > {log} 2>&1"


rule report:
    input:
        expand([RESULTS.metrics, RESULTS.predictions, RESULTS.robustness], task=TASKS),
        expand(RESULTS.format, task=TASKS),
        expand([EXPLAINED.json, EXPLAINED.maps], task=TASKS),
        [file for task in CROSS for file in (across(task).metrics, across(task).predictions)],
        slices_of(),
        HERE.results.speed,
        expand(DATA.splits.summary, task=SETS),
        expand([DATA.found("audit").json, DATA.found("lookalikes").json], task=SETS),
        expand(DATA.found("audit_cross").json, task=CROSS),
        [file for task in TASKS for file in (*shards_of(task), *runs_of(task))],
        [file for task in SETS for file in rejects_of(task)],
        lambda wc: asked(),
    output:
        page=report(
            REPORT["report"],
            caption="../report/page.rst",
            category="Results",
            labels={"what": "the report"},
        ),
        figures=report(
            REPORT["figures"],
            caption="../report/figures.rst",
            category="Results",
            labels={"what": "figures"},
        ),
        others=[REPORT[name] for name in ("metrics", "ranks", "headline", "picture")],
        tables=report(
            [file for name, file in REPORT.items() if file.suffix in (".csv", ".tex")],
            caption="../report/tables.rst",
            category="Tables",
        ),
    log:
        HERE.log("report"),
    threads: 1
    params:
        section=read("report"),
        code=code("report"),
    shell:
        "exec lssat report --params {params.section:q} > {log} 2>&1"


rule track_report:
    input:
        [REPORT[name] for name in ATTACHED],
        expand(HERE.results.mlflow("{task}"), task=TASKS),
        tracked_more(),
    output:
        HERE.results.attached,
    log:
        HERE.log("track_report"),
    threads: 1
    params:
        section=read("track_report"),
        code=code("track_report"),
    shell:
        "exec lssat track-report --params {params.section:q} > {log} 2>&1"
