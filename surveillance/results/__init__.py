"""Results of a batch in one store: objects, commits that make them count, and the cohort table.

    objects/<site>/<subject>/<key>/…         masks, pictures, assessment.json, reports
    commits/<site>/<subject>/<number>.json   written last: what is not in a commit does not exist
    aside/<site>/<subject>.json              inputs that failed, and why
    cohort.json, cohort/<digest>/site=…/visit=…/part-0.parquet      one row per visit of all commits

Nothing is ever written over but cohort.json and aside: what was said in March can be read in June.
"""
