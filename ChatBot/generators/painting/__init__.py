"""How the demo generator paints: from the words of a prompt to a landscape, by drawing alone."""

from ChatBot.generators.painting.painter import STAGES, paint

__all__ = ["STAGES", "paint"]
