//! Notes against the published ones of the specification and of Go's
//! `sumdb/note`, and against every small change to them.

use super::*;

const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The key of the seed of zeros.
const ENOCH_KEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";

fn peter() -> NoteSigner {
    let seed = base64::decode(PETER_SEED).unwrap()[1..].try_into().unwrap();
    NoteSigner::new("PeterNeumann", SigningKey::from_seed(seed)).unwrap()
}

fn enoch() -> NoteSigner {
    NoteSigner::new("EnochRoot", SigningKey::from_seed([0; 32])).unwrap()
}

fn key(text: &str) -> VerifierKey {
    VerifierKey::parse(text).unwrap()
}

fn malformed(note: &str) -> String {
    match Note::parse(note) {
        Err(Verify::Malformed { what, why }) => {
            assert_eq!(what, "signed note");
            why
        }
        other => panic!("{note:?} gave {other:?}"),
    }
}

#[test]
fn published_notes_are_made_byte_for_byte() {
    assert_eq!(peter().verifier_key().to_string(), PETER_KEY);
    assert_eq!(enoch().verifier_key().to_string(), ENOCH_KEY);
    assert_eq!(
        sign_note(TEXT, &[&peter()]).unwrap(),
        format!("{TEXT}\n{PETER_LINE}")
    );
    assert_eq!(
        sign_note(TEXT, &[&peter(), &enoch()]).unwrap(),
        format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}")
    );
}

#[test]
fn published_notes_verify_under_their_published_keys() {
    let known = [key(EXAMPLE_KEY)];
    let note = Note::parse(EXAMPLE_NOTE).unwrap();
    let verified = note.verify_all_known(&known).unwrap();
    assert_eq!(verified.text(), "This is an example message.\n");
    assert_eq!(verified.keys(), [&known[0]]);
    assert_eq!(known[0].name(), "example.com/foo");

    let note = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    let note = Note::parse(&note).unwrap();
    assert_eq!(note.lines().len(), 2);
    let known = [key(PETER_KEY), key(ENOCH_KEY)];
    let verified = note.verify_all_known(&known).unwrap();
    assert_eq!(verified.text(), TEXT);
    assert_eq!(verified.keys(), [&known[0], &known[1]]);
    assert!(verified.unknown().is_empty());
}

#[test]
fn signature_by_an_unknown_key_is_reported_and_strictly_refused() {
    let text = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    let note = Note::parse(&text).unwrap();
    let known = [key(PETER_KEY)];
    let verified = note.verify(&known).unwrap();
    assert_eq!(verified.keys(), [&known[0]]);
    assert_eq!(verified.unknown(), [note.lines()[1].clone()]);
    assert_eq!(verified.unknown()[0].to_string(), "EnochRoot+af0cfe78");
    assert!(matches!(
        note.verify_all_known(&known),
        Err(Verify::WrongLedger { .. })
    ));
    // Nothing known at all is not enough for either.
    for known in [vec![], vec![key(EXAMPLE_KEY)]] {
        assert!(matches!(
            note.verify(&known),
            Err(Verify::WrongLedger { .. })
        ));
    }
    // One name with another key, and one key under another name, are unknown.
    let public = enoch().verifier_key().public();
    let namesake = VerifierKey::new("PeterNeumann", &public).unwrap();
    let renamed = VerifierKey::new("peter", &known[0].public()).unwrap();
    assert!(matches!(
        note.verify(&[namesake, renamed]),
        Err(Verify::WrongLedger { .. })
    ));
}

#[test]
fn bad_signature_by_a_known_key_is_refused_beside_a_good_one() {
    let known = [key(PETER_KEY), key(ENOCH_KEY)];
    let mut bytes = base64::decode(ENOCH_LINE.trim_end().rsplit(' ').next().unwrap()).unwrap();
    for last in [9, 67] {
        bytes[last] ^= 1;
        let line = format!("— EnochRoot {}\n", base64::encode(&bytes));
        let text = format!("{TEXT}\n{PETER_LINE}{line}");
        let note = Note::parse(&text).unwrap();
        assert!(matches!(note.verify(&known), Err(Verify::Signature { .. })));
        assert!(note.verify(&known[..1]).is_ok(), "unknown then, so ignored");
    }
    let short = format!("— EnochRoot {}\n", base64::encode(&bytes[..67]));
    let text = format!("{TEXT}\n{PETER_LINE}{short}");
    assert!(matches!(
        Note::parse(&text).unwrap().verify(&known),
        Err(Verify::Signature { .. })
    ));
}

#[test]
fn second_line_of_one_key_is_refused_strictly() {
    let known = [key(PETER_KEY)];
    let text = format!("{TEXT}\n{PETER_LINE}{PETER_LINE}");
    let note = Note::parse(&text).unwrap();
    assert_eq!(note.verify(&known).unwrap().keys(), [&known[0]]);
    assert!(matches!(
        note.verify_all_known(&known),
        Err(Verify::Malformed { .. })
    ));
    // The same key given twice is one key.
    let twice = [key(PETER_KEY), key(PETER_KEY)];
    let text = format!("{TEXT}\n{PETER_LINE}");
    let note = Note::parse(&text).unwrap();
    assert_eq!(note.verify_all_known(&twice).unwrap().keys().len(), 1);
}

#[test]
fn two_known_keys_of_one_name_and_hash_cannot_be_told_apart() {
    let mut other = key(ENOCH_KEY);
    other.name = "PeterNeumann".to_owned();
    other.key_hash = key(PETER_KEY).key_hash();
    let text = format!("{TEXT}\n{PETER_LINE}");
    assert!(matches!(
        Note::parse(&text).unwrap().verify(&[key(PETER_KEY), other]),
        Err(Verify::CannotCheck { .. })
    ));
}

/// Every prefix of a text, and every text with one bit flipped that is UTF-8.
fn damaged(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    let flipped = (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    cut.chain(flipped)
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect()
}

#[test]
fn note_cut_short_or_with_any_bit_flipped_is_refused() {
    let known = [key(PETER_KEY), key(ENOCH_KEY)];
    let single = format!("{TEXT}\n{PETER_LINE}");
    for note in damaged(&single) {
        let verified = Note::parse(&note).and_then(|note| note.verify(&known).map(drop));
        assert!(verified.is_err(), "{note:?}");
    }
    let double = format!("{single}{ENOCH_LINE}");
    for note in damaged(&double) {
        if note == single {
            continue; // cut after a whole line, it is another sound note
        }
        let verified = Note::parse(&note).and_then(|note| note.verify_all_known(&known).map(drop));
        assert!(verified.is_err(), "{note:?}");
    }
}

#[test]
fn verifier_key_cut_short_or_with_any_bit_flipped_is_refused() {
    for text in [EXAMPLE_KEY, PETER_KEY, ENOCH_KEY] {
        assert_eq!(key(text).to_string(), text);
        for damaged in damaged(text) {
            assert!(VerifierKey::parse(&damaged).is_err(), "{damaged:?}");
        }
        assert!(VerifierKey::parse(&format!("{text}\n")).is_err());
        assert!(VerifierKey::parse(&format!(" {text}")).is_err());
    }
    assert!(VerifierKey::parse(&PETER_KEY.replace("c74f20a3", "C74F20A3")).is_err());
}

#[test]
fn verifier_key_of_another_type_cannot_be_checked() {
    // A witness key of type 0x04, well-formed by its own specification.
    let witness = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    match VerifierKey::parse(witness) {
        Err(Verify::CannotCheck { why }) => assert!(why.contains("0x04"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn verifier_key_of_small_order_is_refused_though_its_hash_is_right() {
    let mut bytes = vec![1u8, 1];
    bytes.resize(33, 0);
    let hash = Hash::of(&[b"weak\n", &bytes]).to_string();
    let text = format!("weak+{}+{}", &hash[..8], base64::encode(&bytes));
    match VerifierKey::parse(&text) {
        Err(Verify::Malformed { why, .. }) => assert!(why.contains("small order"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_with_space_plus_or_control_character_are_refused() {
    let public = enoch().verifier_key().public();
    for name in [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\tb",
        "a\u{a0}b",
        "a\u{3000}b",
        "a\u{1}",
    ] {
        assert_eq!(
            VerifierKey::new(name, &public).unwrap_err().rule,
            Rule::Note,
            "{name:?}"
        );
        let refused = NoteSigner::new(name, SigningKey::from_seed([0; 32]));
        assert_eq!(refused.unwrap_err().rule, Rule::Note);
        let line = PETER_LINE.replace("PeterNeumann", name);
        malformed(&format!("{TEXT}\n{line}"));
    }
    for name in ["a", "账本/甲", "langfang.example/trace", "—"] {
        let signer = NoteSigner::new(name, SigningKey::from_seed([0; 32])).unwrap();
        let known = [signer.verifier_key().clone()];
        assert_eq!(
            VerifierKey::parse(&known[0].to_string()).as_ref(),
            Ok(&known[0])
        );
        let note = sign_note(TEXT, &[&signer]).unwrap();
        let note = Note::parse(&note).unwrap();
        assert_eq!(note.verify_all_known(&known).unwrap().text(), TEXT);
    }
}

#[test]
fn text_with_empty_lines_is_divided_at_the_last_one() {
    let known = [key(PETER_KEY)];
    for text in [
        "\n",
        "\n\n",
        "a\n\nb\n",
        "a\n\n",
        "a\n\n\n\n",
        "a\n\n— b c\n",
        "追溯\n",
    ] {
        let note = sign_note(text, &[&peter()]).unwrap();
        let note = Note::parse(&note).unwrap();
        assert_eq!(note.verify_all_known(&known).unwrap().text(), text);
    }
}

#[test]
fn text_that_is_none_is_not_signed() {
    for text in ["", "a", "a\r\n", "a\tb\n", "\0\n", "a\u{1b}\n"] {
        let refusal = sign_note(text, &[&peter()]).unwrap_err();
        assert_eq!(refusal.rule, Rule::Note, "{text:?}");
    }
    assert!(sign_note(TEXT, &[]).is_err());
    assert!(sign_note(TEXT, &[&peter(), &enoch(), &peter()]).is_err());
}

#[test]
fn sixteen_signatures_are_accepted_and_seventeen_refused() {
    let signers: Vec<NoteSigner> = (0..17u8)
        .map(|n| NoteSigner::new(&format!("signer-{n}"), SigningKey::from_seed([n; 32])).unwrap())
        .collect();
    let known: Vec<VerifierKey> = signers.iter().map(|s| s.verifier_key().clone()).collect();
    let signers: Vec<&NoteSigner> = signers.iter().collect();
    let sixteen = sign_note(TEXT, &signers[..MAX_SIGNATURES]).unwrap();
    let note = Note::parse(&sixteen).unwrap();
    assert_eq!(note.verify_all_known(&known).unwrap().keys().len(), 16);
    assert_eq!(sign_note(TEXT, &signers).unwrap_err().rule, Rule::Note);
    let why = malformed(&format!("{sixteen}{PETER_LINE}"));
    assert!(why.contains("more than 16"), "{why}");
}

#[test]
fn note_of_the_largest_size_is_accepted_and_one_byte_more_refused() {
    let overhead = 1 + 1 + PETER_LINE.len();
    let largest = "a".repeat(MAX_NOTE_BYTES - overhead) + "\n";
    let note = sign_note(&largest, &[&peter()]).unwrap();
    assert_eq!(note.len(), MAX_NOTE_BYTES);
    assert!(
        Note::parse(&note)
            .unwrap()
            .verify(&[key(PETER_KEY)])
            .is_ok()
    );
    let refusal = sign_note(&format!("a{largest}"), &[&peter()]).unwrap_err();
    assert_eq!(refusal.rule, Rule::Note);
    malformed(&format!("a{note}"));
}

#[test]
fn note_of_another_shape_is_refused() {
    let sound = format!("{TEXT}\n{PETER_LINE}");
    assert!(Note::parse(&sound).is_ok());
    for note in [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{PETER_LINE}"),
        format!("\n{PETER_LINE}"),
        format!("{sound}\n"),
        format!("{sound}more\n"),
        format!("{sound}\n{TEXT}"),
        sound.replace('\n', "\r\n"),
        sound.replace("— ", "- "),
        sound.replace("— ", "—"),
        sound.replace("— ", "—  "),
        sound.replace("— ", " — "),
        sound.replace("PeterNeumann ", "PeterNeumann  "),
        sound.replace("=\n", "\n"),
        sound.replace("=\n", "==\n"),
        sound.replace("=\n", "= \n"),
        sound.replace("cryptography", "crypto\tgraphy"),
        format!("{TEXT}\n— PeterNeumann\n"),
        format!("{TEXT}\n— PeterNeumann \n"),
        format!("{TEXT}\n— PeterNeumann x08gow==\n"),
    ] {
        malformed(&note);
    }
}
