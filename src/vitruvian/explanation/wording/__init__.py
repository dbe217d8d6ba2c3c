"""A language model's wording of a claim: prompt and grammar, and the verifier that refuses by default."""
