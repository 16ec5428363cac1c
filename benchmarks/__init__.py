"""Speed of the course's models against the plain recipe, `python -m benchmarks vae | wgan_gp`, and what edits of codes do, `python -m benchmarks latent`."""
