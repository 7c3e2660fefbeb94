//! Messages that the ledger sends by itself over HTTP, signed with its key: HTTP
//! Message Signatures (RFC 9421) with Ed25519, over a digest of the content
//! (RFC 9530).
//!
//! Whoever knows the ledger's key can tell that a message is the ledger's, for this
//! address, with this content, made at this time. That it comes for the first time
//! is the receiver's to see to: by the event's id and the time of signing.
//!
//! The bytes that are signed begin with `"@method": POST` and a newline. A note
//! begins with an origin or `trace/`, a record with `trace/record`: none can be
//! taken for another.

use super::note::NoteSigner;
use crate::record::{Hash, base64};

/// Under which name a message has its signature.
const LABEL: &str = "trace";

/// What the signature is for: `tag` of RFC 9421, section 2.3.
pub const TAG: &str = "trace-alert";

/// The field with the event's id.
pub const EVENT_FIELD: &str = "trace-event";

/// A message to sign.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The whole address, as it is sent to.
    pub target_uri: &'a str,
    /// The media type of the content.
    pub content_type: &'a str,
    /// What happened, told apart from everything else.
    pub event: &'a str,
    /// The content.
    pub content: &'a [u8],
    /// When it is signed, in seconds since the epoch.
    pub created_s: u64,
}

/// The fields that make a message a signed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFields {
    /// `Content-Digest`.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs a `POST` as the ledger. The key's id is the ledger's verifier key, which
/// is half of the trust anchor.
#[must_use]
pub fn sign(signer: &NoteSigner, message: &Message<'_>) -> SignedFields {
    let digest = base64::encode(Hash::of(&[message.content]).as_bytes());
    let content_digest = format!("sha-256=:{digest}:");
    let components = [
        ("@method", "POST"),
        ("@target-uri", message.target_uri),
        ("content-digest", &content_digest),
        ("content-type", message.content_type),
        (EVENT_FIELD, message.event),
    ];
    let more = format!(
        ";created={};keyid=\"{}\";alg=\"ed25519\";tag=\"{TAG}\"",
        message.created_s,
        signer.verifier_key()
    );
    let params = parameters(&components, &more);
    let base = signature_base(&components, &params);
    let signature = base64::encode(signer.sign_bytes(base.as_bytes()).as_bytes());
    SignedFields {
        signature_input: format!("{LABEL}={params}"),
        signature: format!("{LABEL}=:{signature}:"),
        content_digest,
    }
}

/// The inner list of components with its parameters (RFC 9421, section 2.3).
fn parameters(components: &[(&str, &str)], more: &str) -> String {
    let names = components.iter().map(|(name, _)| format!("\"{name}\""));
    let names = names.collect::<Vec<_>>().join(" ");
    format!("({names}){more}")
}

/// The bytes that are signed (RFC 9421, section 2.5).
fn signature_base(components: &[(&str, &str)], parameters: &str) -> String {
    let lines = components
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}\n"));
    let lines = lines.collect::<String>();
    format!("{lines}\"@signature-params\": {parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sign::SigningKey;

    /// RFC 9421, appendix B.2.6, with the key of B.1.4.
    #[test]
    fn the_vector_of_the_standard_is_signed_alike() {
        let seed = base64::decode("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=").unwrap();
        let key = SigningKey::from_seed(<[u8; 32]>::try_from(seed).unwrap());
        let components = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ];
        let more = ";created=1618884473;keyid=\"test-key-ed25519\"";
        let base = signature_base(&components, &parameters(&components, more));
        assert_eq!(
            base64::encode(key.sign(base.as_bytes()).as_bytes()),
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        );
    }

    #[test]
    fn every_part_of_a_message_is_under_its_signature() {
        let key = SigningKey::from_seed([7; 32]);
        let signer = NoteSigner::new("ledger.example/trace", key).unwrap();
        let message = Message {
            target_uri: "https://receiver.example/alerts",
            content_type: "application/json",
            event: "0011",
            content: b"{}",
            created_s: 1_795_449_600,
        };
        let fields = sign(&signer, &message);
        assert!(
            fields
                .signature_input
                .starts_with("trace=(\"@method\" \"@target-uri\"")
        );
        assert_eq!(sign(&signer, &message), fields);
        let others = [
            Message {
                target_uri: "https://other.example/alerts",
                ..message
            },
            Message {
                content_type: "text/plain",
                ..message
            },
            Message {
                event: "0012",
                ..message
            },
            Message {
                content: b"{ }",
                ..message
            },
            Message {
                created_s: 1_795_449_601,
                ..message
            },
        ];
        for other in others {
            assert_ne!(
                sign(&signer, &other).signature,
                fields.signature,
                "{other:?}"
            );
        }
    }
}
