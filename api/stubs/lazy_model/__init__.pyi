from pydantic import BaseModel

# The base of Beanie's Document, which has no types of its own: without this stub every document has any attribute.
class LazyModel(BaseModel): ...
