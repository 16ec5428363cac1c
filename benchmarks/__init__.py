"""`python -m benchmarks vae | wgan_gp`: speed against the plain recipe. `python -m benchmarks latent`: what edits of codes do.

`python -m benchmarks inception`: speed and exactness of the network behind FID.
"""
