"""What the course's models are trained with: the recipes for photographs, and those of the chapters. Data only."""

FILTERS = (32, 64, 128, 256)

# What the conditional models of chapters 10 and 12 are told: the ten commonest attributes of CelebA, and three rarer ones.
CONDITIONS = (
    "No_Beard", "Young", "Attractive", "Mouth_Slightly_Open", "Smiling", "Wearing_Lipstick", "High_Cheekbones", "Male", "Heavy_Makeup",
    "Wavy_Hair", "Blond_Hair", "Eyeglasses", "Wearing_Hat",
)  # fmt: skip

_BETAS = dict(beta_1=0.0, beta_2=0.99)  # of Adam, for the adversarial models but the WGAN with clipped weights

# For photographs at 64x64 pixels, with `python -m gdl train MODEL`: options of gdl.experiments.job.Job.
_ADVERSARIAL = dict(batch_size=64, flip=True, z_dim=128, filters=FILTERS, kernel_sizes=4, pixel_range=(-1, 1), ema=0.998)
PHOTOGRAPHS: dict[str, dict] = {
    "autoencoder": dict(epochs=5, learning_rate=1e-3),
    "vae": dict(
        epochs=80, batch_size=64, learning_rate=4e-3, halve_every=20, patience=15, flip=True,
        z_dim=128, filters=FILTERS, kernel_sizes=4, reconstruction="mse", beta=0.5, ema=0.998,
    ),
    "gan": _ADVERSARIAL | _BETAS | dict(epochs=20, learning_rate=5e-4, halve_every=10, augment=("translation",)),
    "wgan": _ADVERSARIAL | dict(epochs=24, critic_steps=5, critic_norm="batch", learning_rate=5e-4, ema=0.99),
    "wgan_gp": _ADVERSARIAL | _BETAS | dict(
        epochs=20, learning_rate=5e-4, critic_learning_rate=1e-3, halve_every=10, critic_steps=1, penalty_every=4,
    ),
    "conditional_vae": dict(
        epochs=40, batch_size=64, learning_rate=4e-3, halve_every=10, flip=True, conditions=CONDITIONS,
        z_dim=128, filters=FILTERS, kernel_sizes=4, reconstruction="mse", beta=0.5, ema=0.998,
    ),
    "conditional_gan": _ADVERSARIAL | _BETAS | dict(
        epochs=80, learning_rate=5e-4, halve_every=40, augment=("translation",), conditions=CONDITIONS, classify=0.2,
    ),
    "vae_gan": dict(
        epochs=60, batch_size=64, learning_rate=1e-3, critic_learning_rate=5e-4, halve_every=20, flip=True,
        z_dim=512, filters=(32, 64, 128), kernel_sizes=4, spatial_code=True, reconstruction="mse", beta=0.02, adversarial=5.0, perceptual=40.0,
        classifier="classifier-celeba64", ema=0.998,
    ),
    "flow": dict(size=32, epochs=60, batch_size=64, learning_rate=1e-3, halve_every=20, flip=True, filters=(32, 64, 128)),
    "latent_flow": dict(epochs=60, batch_size=64, learning_rate=1e-3, halve_every=20, flip=True, filters=(96, 96)),
    "classifier": dict(
        epochs=24, batch_size=128, learning_rate=1e-3, halve_every=8, patience=6, flip=True, filters=FILTERS, kernel_sizes=3, dropout=0.2,
    ),
}  # fmt: skip

# Of the chapter that teaches a model, for each profile: the options of its constructor, and those of gdl.train.
# So `gdl.load_or_train` can use the run of that chapter; halve_every is what the chapter makes of its epochs.
_VAE = dict(kernel_sizes=4, reconstruction="mse", beta=0.5)  # chapter 02
_WGAN_GP = dict(kernel_sizes=4, pixel_range=(-1, 1), critic_steps=1, penalty_every=4, ema=0.99)  # chapter 06
_TOLD = ("Smiling", "Male", "Blond_Hair", "Gray_Hair")  # chapter 10, of both models
_CONDITIONAL_GAN = dict(conditions=_TOLD, classify=0.5, kernel_sizes=4, pixel_range=(-1, 1), ema=0.99)
_CONDITIONAL_VAE = dict(conditions=(*_TOLD, "Wearing_Hat"), **_VAE)
_VAE_GAN = dict(kernel_sizes=4, spatial_code=True, reconstruction="mse", beta=0.02, adversarial=5, perceptual=40, ema=0.99)  # chapter 11
_FLOW = dict(steps=8, ema=0.99)  # chapter 12
_LATENT_FLOW = dict(conditions=("Smiling", "Eyeglasses", "Blond_Hair", "Wearing_Hat", "Male"), **_FLOW)
_VAE_TRAINING = dict(batch_size=64, learning_rate=2e-3, flip=True)
_GAN_TRAINING = dict(batch_size=64, flip=True)  # with ADAM below, and of the VAE-GAN with its default
_FLOW_TRAINING = dict(batch_size=64, learning_rate=2e-3)
CHAPTERS: dict[str, dict[str, tuple[dict, dict]]] = {
    "vae": {
        "smoke": (dict(z_dim=16, filters=(8, 16), **_VAE), dict(epochs=1, halve_every=1, **_VAE_TRAINING)),
        "quick": (dict(z_dim=64, filters=(16, 32, 64, 128), **_VAE), dict(epochs=8, halve_every=4, **_VAE_TRAINING)),
        "full": (dict(z_dim=256, filters=FILTERS, **_VAE), dict(epochs=30, halve_every=15, **_VAE_TRAINING)),
    },
    "wgan_gp": {
        "smoke": (dict(z_dim=8, filters=(8, 16), **_WGAN_GP), dict(epochs=2, halve_every=1, **_GAN_TRAINING)),
        "quick": (dict(z_dim=64, filters=(32, 64, 128), **_WGAN_GP), dict(epochs=6, halve_every=4, **_GAN_TRAINING)),
        "full": (dict(z_dim=128, filters=FILTERS, **_WGAN_GP), dict(epochs=60, halve_every=25, **_GAN_TRAINING)),
    },
    "conditional_gan": {
        "smoke": (dict(z_dim=8, filters=(8, 16), **_CONDITIONAL_GAN), dict(epochs=2, **_GAN_TRAINING)),
        "quick": (dict(z_dim=64, filters=(16, 32, 64), **_CONDITIONAL_GAN), dict(epochs=4, **_GAN_TRAINING)),
        "full": (dict(z_dim=128, filters=FILTERS, **_CONDITIONAL_GAN), dict(epochs=20, **_GAN_TRAINING)),
    },
    "conditional_vae": {
        "smoke": (dict(z_dim=8, filters=(8, 16), **_CONDITIONAL_VAE), dict(epochs=1, **_VAE_TRAINING)),
        "quick": (dict(z_dim=64, filters=(16, 32, 64), **_CONDITIONAL_VAE), dict(epochs=3, **_VAE_TRAINING)),
        "full": (dict(z_dim=128, filters=FILTERS, **_CONDITIONAL_VAE), dict(epochs=10, **_VAE_TRAINING)),
    },
    "vae_gan": {  # with a part from PARTS below, as has the latent flow
        "smoke": (dict(z_dim=128, filters=(8, 8, 8), **_VAE_GAN), dict(epochs=1, **_GAN_TRAINING)),
        "quick": (dict(z_dim=512, filters=(16, 32, 64), **_VAE_GAN), dict(epochs=3, **_GAN_TRAINING)),
        "full": (dict(z_dim=512, filters=(32, 64, 128), **_VAE_GAN), dict(epochs=20, **_GAN_TRAINING)),
    },
    "flow": {  # the chapter trains with its first 100, 4,800 or 60,000 images
        "smoke": (dict(filters=(8, 16), **_FLOW), dict(epochs=1, steps_per_epoch=2, **_FLOW_TRAINING)),
        "quick": (dict(filters=(16, 32, 64), **_FLOW), dict(epochs=3, steps_per_epoch=75, **_FLOW_TRAINING)),
        "full": (dict(filters=(32, 64, 128), **_FLOW), dict(epochs=20, steps_per_epoch=938, **_FLOW_TRAINING)),
    },
    "latent_flow": {
        "smoke": (dict(filters=(8, 8), **_LATENT_FLOW), dict(epochs=1, steps_per_epoch=3, **_VAE_TRAINING)),
        "quick": (dict(filters=(48, 48), **_LATENT_FLOW), dict(epochs=4, steps_per_epoch=150, **_VAE_TRAINING)),
        "full": (dict(filters=(96, 96), **_LATENT_FLOW), dict(epochs=20, **_VAE_TRAINING)),
    },
    "classifier": {  # no chapter teaches it
        "smoke": (dict(filters=(8, 16)), dict(epochs=1, halve_every=1, **_VAE_TRAINING)),
        "quick": (dict(filters=(16, 32, 64, 128)), dict(epochs=5, halve_every=2, **_VAE_TRAINING)),
        "full": (dict(filters=FILTERS, dropout=0.2), dict(epochs=12, halve_every=4, **_VAE_TRAINING)),
    },
}

# Of the models of the chapters that compile their own: the learning rate of each network's Adam, in the order of `compile`, and its betas.
ADAM: dict[str, tuple[tuple[float, float], dict]] = {
    "wgan_gp": ((5e-4, 1e-3), _BETAS),
    "conditional_gan": ((1e-3, 1e-3), _BETAS),
}

# Of the models that have another trained model as a part: the option, and which of the models that come with the course the chapter gives.
PARTS = {"vae_gan": ("classifier", "classifier"), "latent_flow": ("autoencoder", "vae_gan")}
