"""Tables of measurements into verdicts: any file a monitoring station keeps, judged beside its own columns.

declare     what a judgement is: a YAML file each, in judgements/
quantities  units of headers and cells, and what they are multiplied by
measures    the items that a judgement knows, by every name
columns     the columns beside the items: times, days, words, numbers
headers     which row is the header, which column is what
cells       text → number, qualifier, limit, or what is wrong with it
rejects     what could not be judged: row, column, value, reason, what would be right
settings    what is said for the whole file; notes: what is said beside the verdicts
frames      what an evaluator gets, whole or in slices
preparing   a table → the frame of an evaluator
judging     evaluator called, verdicts beside the rows
summary     one line of what came out
tables, workbook   CSV, Parquet and Excel of the result
"""
