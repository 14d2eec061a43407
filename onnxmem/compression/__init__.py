"""How much accuracy of a network survives when the activations of a layer are compressed.

layer             one layer: its cut checked, all of its curves measured
points            one curve; `rank_choice` says which ranks it needs
scoring           approximations of batches, and what the tail makes of them
curve             area, interval, saturation
"""
