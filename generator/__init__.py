"""lanebook: evidence packets in, a re-verified site out."""

__version__ = "0.1.0"
