"""STEP: one step of the work each, as plain functions that know nothing of Prefect.

pipeline     the steps in their order; each is skipped when an equal one was done (steps, outcome, progress)
ingest       a catalogue's bytes in place: origins, sources, additions; DVC: repository, trees, pins, versions
validate     the catalogue as one table: catalogue; its readers listing, wnids, photos, idx, cifar; pixels,
             fingerprint; judgement, suites/
prepare      splits by product, memory-mapped arrays: splits, squares, prepared
fit          one resumable training, from a seed or from a version: recipes, initial, run_log
evaluate     figures with their protocol: ruler, measures, figures, report; pictures: sheets, contact_sheet; reevaluate
register     MLflow: tracking, model_folder, card
gate         two blessings and the move they allow: bounds, comparison, bootstrap, selection, promotion, ledger
leaderboard  the versions of a slot, ranked: leaderboard_page, remeasure, costs
publish      images that carry their provenance; texture: a swatch that grows
lineage      what was made from what: trail, chain, lineage_tables
settings, storage   where things are, and files written whole
"""
