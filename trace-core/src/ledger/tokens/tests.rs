//! A token is taken while it is in force and never else; two processes see each
//! other's tokens; nothing that was answered is lost.

use super::*;
use crate::store::disk::RealDisk;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};

const PATH: &str = "folder/tokens.log";
const EXPIRES_MS: u64 = 10_000;

fn token_id(n: u8) -> TokenId {
    TokenId([n; 8])
}

fn grant() -> Grant {
    Grant {
        entity: Some(EntityId::from_bytes([5; 10])),
        role: Role::Inspector,
        area: Some(Area::LANGFANG),
        expires_ms: EXPIRES_MS,
    }
}

fn issue(tokens: &Tokens, n: u8) -> Result<String, Store> {
    let secret = Zeroizing::new([n.wrapping_mul(7); 32]);
    let text = tokens.issue(token_id(n), &secret, grant(), 1_000)?;
    assert_eq!(format!("{text:?}"), "TokenText(..)");
    Ok(text.reveal().into())
}

fn real() -> (tempfile::TempDir, Arc<dyn Disk>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.log");
    (folder, Arc::new(RealDisk), path)
}

fn create(disk: &Arc<dyn Disk>, path: &Path) -> Tokens {
    Tokens::create(disk.clone(), path, Sharing::Locked).unwrap()
}

fn open(disk: &Arc<dyn Disk>, path: &Path) -> Tokens {
    Tokens::open(disk.clone(), path, Sharing::Locked).unwrap()
}

#[test]
fn a_token_in_force_gives_its_grant_also_after_reopening() {
    let (_folder, disk, path) = real();
    let text = issue(&create(&disk, &path), 1).unwrap();
    assert_eq!(text.len(), 64);
    assert!(
        text.starts_with("trt_0101010101010101_BwcHBwcHBwcH"),
        "{text}"
    );
    let tokens = open(&disk, &path);
    let wanted = TokenGrant {
        id: token_id(1),
        grant: grant(),
        made_ms: 1_000,
        revoked_ms: None,
    };
    assert_eq!(tokens.check(&text, EXPIRES_MS - 1), Ok(wanted));
    assert_eq!(tokens.list(), [wanted]);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(32).any(|window| window == [7; 32]));
}

#[test]
fn malformed_unknown_expired_and_revoked_tokens_get_the_same_answer() {
    let (_folder, disk, path) = real();
    let tokens = create(&disk, &path);
    let good = issue(&tokens, 1).unwrap();
    let revoked = issue(&tokens, 2).unwrap();
    assert!(tokens.check(&revoked, 2_000).is_ok());
    assert!(tokens.revoke(token_id(2), 2_000).unwrap());
    assert!(!tokens.revoke(token_id(9), 2_000).unwrap());
    let mut refused = vec![
        (String::new(), 2_000),
        (good.to_uppercase(), 2_000),
        (format!("{good}="), 2_000),
        (format!(" {good}"), 2_000),
        (good.replace("trt_", "tru_"), 2_000),
        (good.replace("0101", "0102"), 2_000),
        (good.replace("0101", "010é"), 2_000),
        (good.clone(), EXPIRES_MS),
        (good.clone(), u64::MAX),
        (revoked, 2_000),
    ];
    for length in 0..good.len() {
        refused.push((good[..length].into(), 2_000));
        // one sign more or less: also the bits that base 64 leaves over
        let mut other = good.clone().into_bytes();
        other[length] = if other[length] == b'A' { b'B' } else { b'A' };
        refused.push((String::from_utf8(other).unwrap(), 2_000));
    }
    let mut answers: Vec<_> = refused
        .iter()
        .map(|(text, now_ms)| tokens.check(text, *now_ms).unwrap_err())
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].rule, Rule::Token);
    assert!(tokens.check(&good, 2_000).is_ok());
}

#[test]
fn every_secret_is_written_and_read_back_in_one_spelling() {
    let (mut dashes, mut underscores) = (0, 0);
    for n in 0..=255u8 {
        let secret = std::array::from_fn(|at| n.wrapping_mul(31) ^ u8::try_from(at * 7).unwrap());
        let text = write_text(token_id(n), &secret);
        let (id, found) = read_text(&text).unwrap();
        assert_eq!((id, *found), (token_id(n), secret));
        let (head, tail) = text.split_at(PREFIX.len() + 17);
        for (sign, other, seen) in [("-", "+", &mut dashes), ("_", "/", &mut underscores)] {
            if tail.contains(sign) {
                *seen += 1;
                let other = format!("{head}{}", tail.replace(sign, other));
                assert!(read_text(&other).is_none(), "{other}");
            }
        }
    }
    assert!(dashes > 9 && underscores > 9, "{dashes}, {underscores}");
}

#[test]
fn a_revocation_is_kept_and_the_first_one_counts() {
    let (_folder, disk, path) = real();
    let tokens = create(&disk, &path);
    let text = issue(&tokens, 1).unwrap();
    assert!(tokens.revoke(token_id(1), 3_000).unwrap());
    assert!(tokens.revoke(token_id(1), 4_000).unwrap());
    let tokens = open(&disk, &path);
    assert!(tokens.check(&text, 2_000).is_err());
    assert_eq!(tokens.list()[0].revoked_ms, Some(3_000));
}

#[test]
fn an_inspectors_token_says_where_and_reaches_no_further() {
    let reaches = |area: Option<Area>, other| Grant { area, ..grant() }.covers(other);
    let sanhe = "131082".parse().unwrap();
    assert!(reaches(Some(Area::LANGFANG), sanhe));
    assert!(!reaches(Some(sanhe), Area::LANGFANG));
    assert!(!reaches(None, sanhe));
    assert_eq!(grant().check(), Ok(()));
    let nowhere = Grant {
        area: None,
        ..grant()
    };
    assert_eq!(nowhere.check().unwrap_err().rule, Rule::Area);
    let producer = Grant {
        role: Role::Producer,
        ..nowhere
    };
    assert_eq!(producer.check(), Ok(()));
}

#[test]
fn a_repeated_id_is_refused_and_the_first_token_stays() {
    let (_folder, disk, path) = real();
    let tokens = create(&disk, &path);
    let text = issue(&tokens, 1).unwrap();
    let again = tokens.issue(token_id(1), &Zeroizing::new([9; 32]), grant(), 1_000);
    assert!(matches!(again, Err(Store::Engine { .. })), "{again:?}");
    assert!(tokens.check(&text, 2_000).is_ok());
}

#[test]
fn two_handles_write_in_turn_and_refresh_sees_what_the_other_wrote() {
    let (_folder, disk, path) = real();
    let server = create(&disk, &path);
    let tool = open(&disk, &path);
    assert!(!server.refresh().unwrap());
    let first = issue(&tool, 1).unwrap();
    assert!(server.check(&first, 2_000).is_err());
    assert!(server.refresh().unwrap());
    assert!(server.check(&first, 2_000).is_ok());
    assert!(!server.refresh().unwrap());
    // each writes without having refreshed: neither overwrites the other
    let second = issue(&server, 2).unwrap();
    let third = issue(&tool, 3).unwrap();
    assert!(tool.check(&second, 2_000).is_ok());
    assert!(server.revoke(token_id(3), 2_000).unwrap());
    assert!(server.check(&third, 2_000).is_err());
    assert!(tool.refresh().unwrap());
    assert!(tool.check(&third, 2_000).is_err());
    assert!(tool.revoke(token_id(1), 2_000).unwrap());
    assert!(server.check(&first, 2_000).is_ok());
    assert!(server.refresh().unwrap());
    assert!(server.check(&first, 2_000).is_err());
    let ids: Vec<_> = open(&disk, &path).list().iter().map(|it| it.id).collect();
    assert_eq!(ids, [token_id(1), token_id(2), token_id(3)]);
}

#[test]
fn writers_on_many_threads_and_handles_lose_no_token() {
    let (_folder, disk, path) = real();
    create(&disk, &path);
    let handles: Vec<_> = (0..4).map(|_| open(&disk, &path)).collect();
    std::thread::scope(|scope| {
        for (at, tokens) in handles.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..8 {
                    let n = u8::try_from(at * 8 + n).unwrap();
                    issue(tokens, n).unwrap();
                    tokens.refresh().unwrap();
                }
            });
        }
    });
    assert_eq!(open(&disk, &path).list().len(), 32);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_by_the_next_writer() {
    let (_folder, disk, path) = real();
    let server = create(&disk, &path);
    let first = issue(&server, 1).unwrap();
    let answered = std::fs::read(&path).unwrap();
    issue(&open(&disk, &path), 2).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in answered.len() + 1..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(server.refresh().unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), answered);
        assert!(server.check(&first, 2_000).is_ok());
        assert_eq!(server.list().len(), 1);
    }
    issue(&server, 3).unwrap();
    assert_eq!(open(&disk, &path).list().len(), 2);
}

#[test]
fn a_flipped_byte_before_the_last_group_is_named_as_damage() {
    let (_folder, disk, path) = real();
    let tokens = create(&disk, &path);
    issue(&tokens, 1).unwrap();
    let before_last = std::fs::read(&path).unwrap().len();
    issue(&tokens, 2).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in 0..before_last {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        std::fs::write(&path, &flipped).unwrap();
        let opened = Tokens::open(disk.clone(), &path, Sharing::Locked);
        assert!(matches!(opened, Err(Store::Damaged { .. })), "byte {at}");
    }
    // shorter than this process has answered for
    std::fs::write(&path, &whole[..before_last]).unwrap();
    assert!(matches!(tokens.refresh(), Err(Store::Damaged { .. })));
}

#[test]
fn a_power_cut_at_any_call_keeps_every_answered_token_and_revocation() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let tokens =
            Tokens::create(Arc::new(disk.clone()), Path::new(PATH), Sharing::Alone).unwrap();
        disk.cut_after(call);
        let mut in_force = Vec::new();
        let mut ended = Vec::new();
        let mut story = || -> Result<(), Store> {
            for n in 1..4 {
                in_force.push(issue(&tokens, n)?);
            }
            // whether it is durable is not known until it is answered
            let text = in_force.remove(1);
            assert!(tokens.revoke(token_id(2), 2_000)?);
            ended.push(text);
            Ok(())
        };
        let finished = story().is_ok();
        if !finished {
            let later = issue(&tokens, 9);
            assert!(matches!(later, Err(Store::ReadOnly { .. })), "{later:?}");
            assert!(tokens.list().iter().all(|token| token.id != token_id(9)));
            // refused here at once, though the disk is gone
            if let Some(text) = in_force.first() {
                assert!(tokens.check(text, 2_000).is_ok());
                assert!(tokens.revoke(token_id(1), 2_000).is_err());
                assert!(tokens.check(text, 2_000).is_err());
            }
        }
        for aftermath in AFTERMATHS {
            let disk = Arc::new(disk.after_power_cut(aftermath));
            let tokens = Tokens::open(disk, Path::new(PATH), Sharing::Alone).unwrap();
            for text in &in_force {
                assert!(tokens.check(text, 2_000).is_ok());
            }
            for text in &ended {
                assert!(tokens.check(text, 2_000).is_err());
            }
        }
        if finished {
            assert!(call > 8, "only {call} calls were cut");
            break;
        }
    }
}
