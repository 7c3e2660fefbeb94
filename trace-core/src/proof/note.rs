//! Signed notes: a text and who signed it, as C2SP `signed-note` v1.0.0
//! (<https://c2sp.org/signed-note>) writes them.
//!
//! ```text
//! the text, each of its lines ending in a newline
//!
//! — name base64(4 bytes of key hash ‖ signature)
//! ```
//!
//! Only Ed25519 (type 0x01) is made and checked. Not here: what a text means,
//! and whose key is to be believed. Signatures by unknown keys are ignored, as
//! the specification demands, by [`Note::verify`]; [`Note::verify_all_known`]
//! refuses them, so that no byte of what it accepts could be another.

use crate::error::{Invalid, Rule, Verify};
use crate::record::sign::{Key, PublicKey, Signature, SigningKey};
use crate::record::{Hash, base64};
use std::fmt;

/// The longest note that is read or made: 1 MiB. Sixteen signatures of the
/// largest kind that the specification expects (5 kB, hence 7 kB in base 64)
/// are 112 kB, which leaves more than 900 kB for the text.
pub const MAX_NOTE_BYTES: usize = 1 << 20;

/// The most signatures in a note: what the specification says every verifier
/// must accept, and no more.
pub const MAX_SIGNATURES: usize = 16;

/// The signature type of Ed25519 over the text.
const ED25519: u8 = 0x01;

const DASH: &str = "— ";

/// Why a name cannot be that of a key, if it cannot.
fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("empty key name".to_owned());
    }
    name.chars()
        .find(|c| c.is_whitespace() || *c == '+' || *c < ' ')
        .map(|c| format!("key name with {c:?}, wanted no space, plus or control character"))
}

/// Where a text is no text of a note, if it is none.
fn text_fault(text: &str) -> Option<String> {
    text.chars()
        .find(|c| *c < ' ' && *c != '\n')
        .map(|c| format!("control character {c:?}, wanted none but newline"))
}

/// A key that notes are checked with: a name and a public key, written
/// `name+hash+base64(type ‖ public key)`; the trust anchor of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: Key,
    key_hash: [u8; 4],
}

impl VerifierKey {
    /// The verifier key of a name and a public key.
    ///
    /// # Errors
    /// `Rule::Note` when the name is empty or has a space, plus or control
    /// character; `Rule::Key` when the public key is not fit to be trusted.
    pub fn new(name: &str, public: &PublicKey) -> Result<Self, Invalid> {
        if let Some(fault) = name_fault(name) {
            return Err(Invalid::new(Rule::Note, fault));
        }
        let key = public.accept()?;
        let hash = Hash::of(&[name.as_bytes(), b"\n", &[ED25519], public.as_bytes()]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        Ok(Self {
            name: name.to_owned(),
            key,
            key_hash: [a, b, c, d],
        })
    }

    /// Reads a written verifier key; there is one way to write each.
    ///
    /// # Errors
    /// `Verify::Malformed` when it is not one or its hash is not that of its
    /// name and key, `Verify::CannotCheck` when it is of another type.
    pub fn parse(text: &str) -> Result<Self, Verify> {
        let refuse = |why: String| Verify::Malformed {
            what: "verifier key",
            why,
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse("wanted name+hash+key".to_owned()));
        };
        let bytes = base64::decode(encoded)
            .ok_or_else(|| refuse("the key is not canonical base 64".to_owned()))?;
        let Some((kind, public)) = bytes.split_first() else {
            return Err(refuse("the key is empty".to_owned()));
        };
        if *kind != ED25519 {
            return Err(Verify::CannotCheck {
                why: format!("verifier key of type {kind:#04x}, wanted 0x01 (Ed25519)"),
            });
        }
        let public = <[u8; 32]>::try_from(public)
            .map_err(|_| refuse(format!("a key of {} bytes, wanted 32", public.len())))?;
        let key = Self::new(name, &PublicKey::from_bytes(public))
            .map_err(|invalid| refuse(invalid.what))?;
        if hash != key.hash_hex() {
            return Err(refuse(format!(
                "key hash {hash:?}, wanted {}",
                key.hash_hex()
            )));
        }
        Ok(key)
    }

    /// The name; for a ledger's key, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key): a
    /// help to find the key of a signature, never a proof of it.
    #[must_use]
    pub fn key_hash(&self) -> [u8; 4] {
        self.key_hash
    }

    fn hash_hex(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.key_hash))
    }

    fn is_of(&self, line: &SignatureLine<'_>) -> bool {
        self.name == line.name && self.key_hash == line.key_hash
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.public().as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            self.hash_hex(),
            base64::encode(&typed)
        )
    }
}

/// A name and the private key that signs notes in it.
#[derive(Debug)]
pub struct NoteSigner {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// Signs as `name` with this key.
    ///
    /// # Errors
    /// `Rule::Note` when the name is not one of a key.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, Invalid> {
        let verifier = VerifierKey::new(name, &key.public())?;
        Ok(Self { verifier, key })
    }

    /// The key that checks what this one signs.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs bytes that are no note, for those here that say of which form they are.
    pub(super) fn sign_bytes(&self, bytes: &[u8]) -> Signature {
        self.key.sign(bytes)
    }
}

/// The note of a text, signed by each signer.
///
/// # Errors
/// `Rule::Note` when the text does not end in a newline, has another control
/// character, or makes too long a note, and when there is no signer, one twice,
/// or more than [`MAX_SIGNATURES`].
pub fn sign_note(text: &str, signers: &[&NoteSigner]) -> Result<String, Invalid> {
    let refuse = |why: String| Err(Invalid::new(Rule::Note, why));
    if !text.ends_with('\n') {
        return refuse("a text that does not end in a newline".to_owned());
    }
    if let Some(fault) = text_fault(text) {
        return refuse(fault);
    }
    if signers.is_empty() || signers.len() > MAX_SIGNATURES {
        let found = signers.len();
        return refuse(format!("{found} signers, wanted 1 to {MAX_SIGNATURES}"));
    }
    let mut note = format!("{text}\n");
    for (before, signer) in signers.iter().enumerate() {
        let verifier = &signer.verifier;
        let mut earlier = signers.iter().take(before);
        if earlier.any(|other| other.verifier == *verifier) {
            return refuse(format!("signer {} twice", verifier.name));
        }
        let mut bytes = verifier.key_hash.to_vec();
        bytes.extend_from_slice(signer.key.sign(text.as_bytes()).as_bytes());
        note.push_str(DASH);
        note.push_str(&verifier.name);
        note.push(' ');
        note.push_str(&base64::encode(&bytes));
        note.push('\n');
    }
    if note.len() > MAX_NOTE_BYTES {
        let found = note.len();
        return refuse(format!("a note of {found} bytes, at most {MAX_NOTE_BYTES}"));
    }
    Ok(note)
}

/// One signature line of a note, as it was read: a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine<'a> {
    /// The name of the key.
    pub name: &'a str,
    /// The first four bytes of the key's hash.
    pub key_hash: [u8; 4],
    /// The signature, of whatever type the key has.
    pub signature: Vec<u8>,
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self, String> {
        let rest = line
            .strip_prefix(DASH)
            .ok_or_else(|| format!("signature line does not begin with {DASH:?}"))?;
        let (name, encoded) = rest
            .split_once(' ')
            .ok_or_else(|| "signature line without signature".to_owned())?;
        if let Some(fault) = name_fault(name) {
            return Err(fault);
        }
        let bytes = base64::decode(encoded)
            .ok_or_else(|| format!("signature of {name} is not canonical base 64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((key_hash, signature)) if !signature.is_empty() => Ok(Self {
                name,
                key_hash: *key_hash,
                signature: signature.to_vec(),
            }),
            _ => Err(format!(
                "signature of {name} has {} bytes, wanted more than 4",
                bytes.len()
            )),
        }
    }
}

impl fmt::Display for SignatureLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, u32::from_be_bytes(self.key_hash))
    }
}

/// A note as it was read: a claim. Its text is only to be had by verifying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    lines: Vec<SignatureLine<'a>>,
}

/// A note's text, and which of the keys asked about have signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote<'a, 'k> {
    text: &'a str,
    keys: Vec<&'k VerifierKey>,
    unknown: Vec<SignatureLine<'a>>,
}

impl<'a, 'k> VerifiedNote<'a, 'k> {
    /// The text that was signed.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The keys that signed it, each once, at least one.
    #[must_use]
    pub fn keys(&self) -> &[&'k VerifierKey] {
        &self.keys
    }

    /// The signature lines of other keys, which nobody has checked.
    #[must_use]
    pub fn unknown(&self) -> &[SignatureLine<'a>] {
        &self.unknown
    }
}

impl<'a> Note<'a> {
    /// Reads a note, strictly; nothing is verified yet.
    ///
    /// # Errors
    /// `Verify::Malformed` when it is too long, has a control character, too
    /// few or too many signature lines, or one not in its canonical form.
    pub fn parse(note: &'a str) -> Result<Self, Verify> {
        let refuse = |why: String| Verify::Malformed {
            what: "signed note",
            why,
        };
        if note.len() > MAX_NOTE_BYTES {
            return Err(refuse(format!(
                "{} bytes, at most {MAX_NOTE_BYTES}",
                note.len()
            )));
        }
        if let Some(fault) = text_fault(note) {
            return Err(refuse(fault));
        }
        // The text may hold empty lines; the last one of the note divides. The
        // text keeps the newline before it.
        let Some((lines, signatures)) = note.rsplit_once("\n\n") else {
            return Err(refuse("no empty line between text and signatures".into()));
        };
        let text = note
            .get(..=lines.len())
            .ok_or_else(|| refuse("no text".to_owned()))?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or_else(|| refuse("the last line does not end in a newline".to_owned()))?;
        let mut parsed = Vec::new();
        for line in signatures.split('\n') {
            if parsed.len() == MAX_SIGNATURES {
                return Err(refuse(format!("more than {MAX_SIGNATURES} signatures")));
            }
            parsed.push(SignatureLine::parse(line).map_err(refuse)?);
        }
        Ok(Self {
            text,
            lines: parsed,
        })
    }

    /// The signature lines.
    #[must_use]
    pub fn lines(&self) -> &[SignatureLine<'a>] {
        &self.lines
    }

    /// Checks the signatures of known keys: at least one, and each of them. The
    /// lines of other keys are reported, not checked.
    ///
    /// # Errors
    /// `Verify::Signature` when a line of a known key does not verify,
    /// `Verify::WrongLedger` when no line is of a known key,
    /// `Verify::CannotCheck` when two different known keys share name and hash.
    pub fn verify<'k>(&self, known: &'k [VerifierKey]) -> Result<VerifiedNote<'a, 'k>, Verify> {
        let mut keys: Vec<&VerifierKey> = Vec::new();
        let mut unknown = Vec::new();
        for line in &self.lines {
            let mut candidates = known.iter().filter(|key| key.is_of(line));
            let Some(key) = candidates.next() else {
                unknown.push(line.clone());
                continue;
            };
            if candidates.any(|other| other != key) {
                return Err(Verify::CannotCheck {
                    why: format!("two known keys are called {line}"),
                });
            }
            let bad = || Verify::Signature {
                what: format!("note by {line}"),
            };
            let signature = <[u8; 64]>::try_from(line.signature.as_slice()).map_err(|_| bad())?;
            key.key
                .verify_strict(self.text.as_bytes(), &Signature::from_bytes(signature))
                .map_err(|_| bad())?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return Err(Verify::WrongLedger {
                found: listed(&self.lines),
                wanted: listed(
                    known
                        .iter()
                        .map(|key| format!("{}+{}", key.name, key.hash_hex())),
                ),
            });
        }
        Ok(VerifiedNote {
            text: self.text,
            keys,
            unknown,
        })
    }

    /// As [`verify`](Self::verify), and every line must be of a known key, and
    /// no key have two: then a note with any byte changed, added or left out is
    /// refused.
    ///
    /// # Errors
    /// As `verify`; also `Verify::WrongLedger` for a line of an unknown key and
    /// `Verify::Malformed` for a second line of one key.
    pub fn verify_all_known<'k>(
        &self,
        known: &'k [VerifierKey],
    ) -> Result<VerifiedNote<'a, 'k>, Verify> {
        let verified = self.verify(known)?;
        if !verified.unknown.is_empty() {
            return Err(Verify::WrongLedger {
                found: listed(&verified.unknown),
                wanted: "signatures of known keys only".to_owned(),
            });
        }
        if verified.keys.len() != self.lines.len() {
            return Err(Verify::Malformed {
                what: "signed note",
                why: format!(
                    "{} signatures by {} keys",
                    self.lines.len(),
                    verified.keys.len()
                ),
            });
        }
        Ok(verified)
    }
}

fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
