"""STEP: one step of the work each, as plain functions that know nothing of Prefect.

pipeline     the steps in their order; each is skipped when an equal one was done (steps, outcome, progress)
ingest       a catalogue's bytes in place: sources, additions; DVC: repository, trees, pins, versions
validate     the catalogue as one table: catalogue, listing, photos, idx, pixels, fingerprint; judgement, suites/
prepare      splits by product, memory-mapped arrays: splits, prepared
fit          one resumable training: recipes, run_log
evaluate     figures with their protocol: ruler, report, contact_sheet, reevaluate
register     MLflow: tracking, model_folder, card
gate         two blessings and the move they allow: selection, bootstrap, promotion, ledger
publish      images that carry their provenance
lineage      what was made from what: trail, chain, lineage_tables
settings, storage   where things are, and files written whole
"""
