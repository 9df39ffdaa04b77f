"""The providers of models, one file each. Whatever is special about a provider stays in its file."""

from tutordesk.ground.settings import Settings
from tutordesk.tutor.models import Provider
from tutordesk.tutor.providers.gemini import Gemini
from tutordesk.tutor.providers.offline import Offline
from tutordesk.tutor.providers.ollama import Ollama
from tutordesk.tutor.providers.openai_compatible import OpenAICompatible


def make_provider(model: str, settings: Settings) -> Provider:
    """Return the provider of `provider:name`, which settings.py has checked."""
    kind, _, name = model.partition(":")
    match kind:
        case "gemini":
            assert settings.gemini_api_key, "settings.py refuses a Gemini model without a key"
            return Gemini(name, settings.gemini_api_key.get_secret_value(), settings.gemini_base_url)
        case "openai":
            key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
            return OpenAICompatible(name, settings.openai_base_url, key)
        case "ollama":
            return Ollama(name, settings.ollama_base_url)
        case _:
            return Offline()
