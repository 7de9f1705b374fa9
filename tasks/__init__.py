"""STEP: one step of the work each, as plain functions that know nothing of Prefect.

The rooms in the order of their imports: each may use those above it, never those below (import-linter keeps it).

workspace    settings, files written whole, step records, code digests, parameters
photos       a photograph as a file: decoded, its colours and metadata understood, written again
provenance   what an image says of itself
catalogue    any folder of images, read as one table
lineage      what was made from what; the ledger of promotions
versions     DVC: the versions of the catalogues
dataset      from a catalogue to arrays: validate (Great Expectations), split, prepare
registry     MLflow: runs, versions, slots
operations   one file an operation on a photograph
evaluation   figures with their protocol, the ruler, sheets
editing      a photograph, or a folder, put through operations
training     one resumable training
generation   images and textures, made and published
market       what a marketplace asks of a photograph
pipeline     the steps in their order, each skipped when an equal one was done
promotion    the gate, cards, moves of the champion, shipped versions
leaderboard  a slot's versions, ranked
"""
