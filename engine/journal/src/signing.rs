//! Signatures: Ed25519, so that whoever has the public key can check what only this machine can have signed.

use std::fmt;
use std::str::FromStr;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;

/// What a key's and a signature's text begins with.
const PREFIX: &str = "ed25519:";

/// The key that signs. It is in memory for as long as its journal is open, and in no text.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key that a seed comes to.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> SigningKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .expect("invariant: any 32 bytes are the seed of a key");
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        SigningKey {
            pair,
            public: PublicKey(public),
        }
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a text, which says itself what sort of text it is.
    pub(crate) fn sign(&self, text: &str) -> Signature {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        Signature(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// The key that checks. Its text is `ed25519:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// What people compare: the first half of the key's SHA-256, in groups of four hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digits = Digest::of(&self.0).hex();
        let groups: Vec<&str> = (0..8).map(|n| &digits[n * 4..n * 4 + 4]).collect();
        groups.join(" ")
    }

    /// Whether the text was signed by this key's other half.
    pub(crate) fn has_signed(&self, text: &str, signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(text.as_bytes(), &signature.0)
            .is_ok()
    }
}

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a public key: it is `ed25519:` and 64 hex digits")]
pub struct NotAKey(String);

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<PublicKey, NotAKey> {
        decode(text)
            .map(PublicKey)
            .ok_or_else(|| NotAKey(text.to_owned()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A signature. Its text is `ed25519:<128 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature([u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text)
            .map(Signature)
            .ok_or_else(|| serde::de::Error::custom("not a signature"))
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix(PREFIX)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    // One text for one key.
    (!digits.bytes().any(|digit| digit.is_ascii_uppercase())).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNATURE: &str = "ed25519:e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    fn key() -> SigningKey {
        let mut seed = [0; 32];
        hex::decode_to_slice(SEED, &mut seed).unwrap();
        SigningKey::from_seed(&seed)
    }

    #[test]
    fn it_signs_as_the_standard_says_and_shows_no_byte_of_the_key() {
        assert_eq!(key().public().to_string(), PUBLIC);
        assert_eq!(format!("{:?}", key().sign("")), SIGNATURE);
        assert_eq!(format!("{:?}", key()), "SigningKey(..)");
    }

    #[test]
    fn a_signature_is_for_one_text_and_one_key() {
        let signature = key().sign("a");
        let public: PublicKey = PUBLIC.parse().unwrap();
        assert!(public.has_signed("a", &signature));
        assert!(!public.has_signed("b", &signature));
        let other = SigningKey::from_seed(&[7; 32]).public();
        assert!(!other.has_signed("a", &signature));
        let text = serde_json::to_string(&signature).unwrap();
        assert_eq!(serde_json::from_str::<Signature>(&text).unwrap(), signature);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "ed25519:",
            &PUBLIC[8..],
            &PUBLIC[..70],
            &PUBLIC.to_uppercase(),
        ] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
        assert_eq!(key().public().fingerprint().len(), 39);
    }
}
