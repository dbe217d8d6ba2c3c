"""Print the vocabulary's page: `python -m vitruvian.core.vocabulary > docs/vocabulary.md`."""

import sys

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.core.vocabulary.document import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown(VOCABULARY))
