"""Evaluation of models on annotated data: one report, whatever the kind of model.

The entry point is ``evaluator.evaluate``. Each module of ``kinds`` is a kind of model; no list of
them is needed.
"""
