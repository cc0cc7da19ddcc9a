"""Which signature algorithms may verify a token: only those whose verifying key can be public."""

from collections.abc import Iterable
from typing import Final

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

BUILT_IN_ALGORITHM: Final = "EdDSA"
"""What the built-in issuer signs with. RFC 9864 renames it `Ed25519`, which few verifying libraries know yet."""

DEFAULT_ALGORITHMS: Final = frozenset({"EdDSA", "Ed25519", "ES256", "RS256", "PS256"})
"""What a trusted issuer may sign with unless its configuration says otherwise."""

POSSIBLE_ALGORITHMS: Final = DEFAULT_ALGORITHMS | {"ES384", "ES512", "RS384", "RS512", "PS384", "PS512"}
"""What a configuration may name. `none` and the HMAC family are no choice: a public key would then forge tokens."""


class AllowList(JWSRegistry):
    """The signature algorithms allowed for one issuer.

    It differs from the library's registry in three ways. `EdDSA` is used without its deprecation warning on every
    call; a header parameter that is not known is ignored, as RFC 7515 asks (section 4); and headers and signatures
    may be as long as issuers with certificate thumbprints and RSA keys of 8192 bits make them.
    """

    max_header_length = 2048
    max_signature_length = 2048

    def __init__(self, algorithms: Iterable[str]) -> None:
        """Raises ValueError for an empty list, and for an algorithm outside POSSIBLE_ALGORITHMS."""
        names = frozenset(algorithms)
        if not names or names - POSSIBLE_ALGORITHMS:
            raise ValueError(f"algorithms must be one or more of {', '.join(sorted(POSSIBLE_ALGORITHMS))}")
        super().__init__(algorithms=names, strict_check_header=False)
        self._names = names

    def get_alg(self, name: str) -> JWSAlgModel:
        """The algorithm of this name. Raises UnsupportedAlgorithmError unless it is allowed."""
        if name not in self._names:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]
