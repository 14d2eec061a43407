"""A network that is ready to be asked: opened, checked, run whole or in two.

    settings, opening what is asked for; model, sites, samples and device made ready together
    sites             the tensors to cut at
    network           the sessions of a model, and how its batches run
    optimizations     whether onnxruntime's leave it what it is
    classifier        the untouched network: its outputs and predictions
    outputs, independence, labelling, guessing
                      which output classifies, and whether samples and labels fit it
    evaluation        samples in batches, and the network's own answers to them
    split_network     the network cut in two: activations out of its head, outputs of its tail
    activations, layout
                      what the head gives, as tensors and as a matrix
    features          activations of all samples at all layers; `sample_axis` says where samples lie
    words, padding    inputs that are looked up, positions that only fill a sample up
    layer_run         one layer of an evaluation: activations kept, cut checked, tail scored
    memory, stacking, workers
                      as much at once as the memory allows
    clock             where the time goes

It knows no report, no gate and no compressor.
"""
