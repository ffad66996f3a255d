"""Scores a model on annotated data: one report, whatever the kind of model.

``evaluator.evaluate`` is the way in. A kind of model is a module of ``kinds``; it is found by being
there.
"""
