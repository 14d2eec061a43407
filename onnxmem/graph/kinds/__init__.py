"""Kinds of activations: what each is called, whether it goes below zero, how exporters write it.

    kind              what a kind is, and the spellings that several share
    relu, gated_by_itself, leaky, squashing, recurrent, arithmetic
                      the kinds, one file for each family
    gated, blocks     products of two branches; residual additions and normalisations
    curve, sampling   functions of one number, and what arithmetic computes such a function
    roles             whether a tensor serves units, a gate or scores
    registry          all of them, and the groups that they are asked for by
    finding           all activations of a graph, none twice

To add a kind: a `Kind` in the file of its family, and its name in `registry.ALL`.
"""
