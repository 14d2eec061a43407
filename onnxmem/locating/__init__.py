"""Where a network memorizes: in which layers, told by suspects and other samples.

    crowd             the samples that are asked about: suspects and others, piece by piece
    matching          which tensors of two networks of one architecture correspond
    rewind            a network with one segment taken from a checkpoint
    accounting        gradients of suspects beside those of others, of weights by `segments`
    probe             labels that a linear probe reads off each layer
    units             units that are switched off until a sample loses its label, by a network that
                      is `masking` them

One file for each kind of answer; none knows the others. Each gives a record, with the reason where
it has nothing to tell.

Sources: Maini et al. (2023), Can Neural Network Memorization Be Localized? (arXiv:2307.09542);
    Chaibub Neto (2018), Shared Structure Validation Sets.
"""
