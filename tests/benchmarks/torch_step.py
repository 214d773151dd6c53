"""Training steps at 28 x 28 in PyTorch, the other side of the benchmarks: plain modern PyTorch training loops.

The same networks, losses, balancing and optimisers as `kerasinterp.objectives` AugIntAE and WGANGP with
`kerasinterp.nn.infogan`.
"""

import torch
import torch.nn.functional as F
from torch import nn


def backbone(channels: int, outputs: int) -> nn.Sequential:
    """InfoGAN's encoder and discriminator."""
    return nn.Sequential(
        nn.Conv2d(channels, 64, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(128 * 7 * 7, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(1024, outputs),
    )


def critic(channels: int) -> nn.Sequential:
    """InfoGAN's discriminator without batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(channels, 64, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(128 * 7 * 7, 1024),
        nn.LeakyReLU(0.2),
        nn.Linear(1024, 1),
    )


def generator(channels: int, latent_size: int) -> nn.Sequential:
    """InfoGAN's generator."""
    return nn.Sequential(
        nn.Linear(latent_size, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.ReLU(inplace=True),
        nn.Linear(1024, 128 * 7 * 7, bias=False),
        nn.BatchNorm1d(128 * 7 * 7),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(64, channels, 4, 2, 1),
        nn.Tanh(),
    )


def slerp(a: torch.Tensor, b: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Spherical mixing of unit vectors (B, L), `t` (B,) the weight of `b`; the half-angle form."""
    t = t[:, None]
    distance = (a - b).square().sum(-1, keepdim=True).clamp_min(1e-6).sqrt()
    total = (a + b).square().sum(-1, keepdim=True).clamp_min(1e-6).sqrt()
    angle = 2 * torch.atan2(distance, total)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


class TorchStep:
    """One training step a call, on float32 batches (B, 1, 28, 28) and alpha (B,).

    Args:
        bfloat16: run the networks under `torch.autocast`.
        channels_last: keep images and convolution weights in that memory format.
    """

    def __init__(self, bfloat16: bool, channels_last: bool = False, seed: int = 0):
        torch.manual_seed(seed)
        self.bfloat16 = bfloat16
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        networks = [backbone(1, 32), generator(1, 32), backbone(1, 1)]
        for network in networks:
            for parameter in network.parameters():
                if parameter.ndim > 1:
                    nn.init.normal_(parameter, std=0.02)
            network.to(memory_format=self.memory_format)
        self.encoder, self.decoder, self.discriminator = networks
        self.autoencoder_parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.discriminator_parameters = list(self.discriminator.parameters())
        self.autoencoder_optimizer = torch.optim.Adam(self.autoencoder_parameters, lr=1e-3, fused=True)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator_parameters, lr=1e-3, fused=True)
        self.k = torch.ones(())

    def prepare(self, *images: torch.Tensor) -> list[torch.Tensor]:
        """The images in the memory format that the step wants."""
        return [image.contiguous(memory_format=self.memory_format) for image in images]

    def forward(self, a, b, c, alpha):
        """The one forward pass: decoded images, D(real), D(fake)."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            latents = F.normalize(self.encoder(torch.cat([a, b])).float(), dim=-1)
            a, b = latents.chunk(2)
            decoded = self.decoder(slerp(b, a, alpha)).float()
            real, fake = self.discriminator(torch.cat([c, decoded])).float()[:, 0].chunk(2)
            return decoded, real, fake

    def __call__(self, a, b, c, alpha) -> torch.Tensor:
        decoded, real, fake = self.forward(a, b, c, alpha)
        reconstruction = (decoded - c).abs().mean()
        adversarial = 0.5 * (fake - 1).square().mean()
        discrimination = 0.5 * ((real - 1).square().mean() + (fake + 1).square().mean())

        (target,) = torch.autograd.grad(reconstruction, decoded, retain_graph=True)
        (term,) = torch.autograd.grad(adversarial, decoded, retain_graph=True)
        for_discriminator = torch.autograd.grad(discrimination, self.discriminator_parameters, retain_graph=True)
        gamma = target.flatten(1).norm(dim=1) / term.flatten(1).norm(dim=1).clamp_min(1e-12)
        combined = target + self.k * gamma[:, None, None, None] * term
        for_autoencoder = torch.autograd.grad(decoded, self.autoencoder_parameters, grad_outputs=combined)

        for parameter, gradient in zip(self.autoencoder_parameters, for_autoencoder, strict=True):
            parameter.grad = gradient
        for parameter, gradient in zip(self.discriminator_parameters, for_discriminator, strict=True):
            parameter.grad = gradient
        self.autoencoder_optimizer.step()
        self.discriminator_optimizer.step()
        with torch.no_grad():
            self.k = (self.k - 0.001 * (1 - (real.mean() - fake.mean()))).clamp(0, 1)
        return reconstruction.detach()


class WGANGPStep:
    """One step of WGAN-GP a call, on float32 images (5 B, 1, 28, 28): `kerasinterp.objectives.WGANGP`.

    Five slices, of the critic each and of the generator the last, on the images that the critic saw.
    """

    def __init__(self, channels_last: bool = False, latent_size: int = 32, seed: int = 0):
        torch.manual_seed(seed)
        self.latent_size = latent_size
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.critic, self.generator = critic(1), generator(1, latent_size)
        for network in (self.critic, self.generator):
            for parameter in network.parameters():
                if parameter.ndim > 1:
                    nn.init.normal_(parameter, std=0.02)
            network.to(memory_format=self.memory_format)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.0, 0.9), fused=True)
            for network in (self.critic, self.generator)
        ]

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        slices = images.contiguous(memory_format=self.memory_format).chunk(5)
        for number, real in enumerate(slices, 1):
            last = number == len(slices)
            with torch.set_grad_enabled(last):
                latents = F.normalize(torch.randn(len(real), self.latent_size), dim=-1)
                fake = self.generator(latents)
            of_real, of_fake = self.critic(torch.cat([real, fake])).chunk(2)
            epsilon = torch.rand(len(real), 1, 1, 1)
            between = (epsilon * real + (1 - epsilon) * fake.detach()).requires_grad_()
            (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
            penalty = ((slope.square().flatten(1).sum(1) + 1e-12).sqrt() - 1).square().mean()
            loss = of_fake.mean() - of_real.mean() + 10 * penalty
            found = [torch.autograd.grad(loss, [*self.critic.parameters()], retain_graph=last)]
            if last:
                found.append(torch.autograd.grad(-of_fake.mean(), [*self.generator.parameters()]))
            for network, optimizer, gradients in zip(
                (self.critic, self.generator), self.optimizers, found, strict=False
            ):
                for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                    parameter.grad = gradient
                optimizer.step()
        return loss.detach()
