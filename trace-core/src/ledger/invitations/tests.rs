//! An invitation is used once and never twice, also when the power fails between
//! two calls; its code is in no file.

use super::*;
use crate::store::disk::RealDisk;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};

const PATH: &str = "folder/invitations.log";
const NOW_MS: u64 = 1_000;

fn code(n: u8) -> InvitationCode {
    InvitationCode::from_bytes([n ^ 0x55; 10])
}

fn invited(n: u8) -> Invited {
    Invited {
        entity: EntityId::from_bytes([n; 10]),
        role: Role::Producer,
        area: Some(Area::LANGFANG),
        by: TokenId([9; 8]),
    }
}

fn token(n: u8) -> TokenId {
    TokenId([n; 8])
}

#[test]
fn an_invitation_is_used_once_and_says_so_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(INVITATIONS_FILE);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let own = Invitations::create(Arc::clone(&disk), &path).unwrap();
    own.invite(&code(1), invited(1), NOW_MS).unwrap();
    assert_eq!(own.look(&code(1), NOW_MS).unwrap().invited, invited(1));
    assert_eq!(own.redeem(&code(1), token(1), NOW_MS).unwrap(), invited(1));
    assert!(own.look(&code(1), NOW_MS).is_err());
    drop(own);
    let own = Invitations::open(disk, &path).unwrap();
    let again = own.redeem(&code(1), token(2), NOW_MS).unwrap_err();
    assert!(matches!(again, Failed::Invalid(it) if it.rule == Rule::Token));
    let known = own.newest_of(&EntityId::from_bytes([1; 10])).unwrap();
    assert_eq!(known.ended, Some((Ended::Used(token(1)), NOW_MS)));
    assert_eq!(own.counts(), (1, 1));
    // Only its hash is in the file.
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(10).any(|window| window == code(1).as_bytes()));
    assert!(
        own.invite(&code(1), invited(1), NOW_MS).is_err(),
        "a code taken"
    );
}

#[test]
fn an_invitation_ends_after_a_week_and_when_it_is_revoked() {
    let disk = Arc::new(FaultyDisk::default());
    let own = Invitations::create(disk, Path::new(PATH)).unwrap();
    for n in [1, 2] {
        own.invite(&code(n), invited(n), NOW_MS).unwrap();
    }
    let last_ms = NOW_MS + INVITATION_LIFE_MS - 1;
    assert!(own.look(&code(1), last_ms).is_ok());
    assert!(own.look(&code(1), last_ms + 1).is_err());
    assert!(own.redeem(&code(1), token(1), last_ms + 1).is_err());
    let entity = EntityId::from_bytes([2; 10]);
    assert_eq!(own.revoke_of(&entity, NOW_MS).unwrap(), 1);
    assert_eq!(own.revoke_of(&entity, NOW_MS).unwrap(), 0);
    assert!(own.redeem(&code(2), token(2), NOW_MS).is_err());
    assert!(
        own.redeem(&code(3), token(3), NOW_MS).is_err(),
        "nobody made it"
    );
    assert!(
        own.redeem(&code(1), token(1), NOW_MS).is_ok(),
        "another's stands"
    );
}

#[test]
fn the_newest_of_an_entity_is_the_last_that_was_made_also_within_a_millisecond() {
    let disk = Arc::new(FaultyDisk::default());
    let own = Invitations::create(Arc::clone(&disk) as Arc<dyn Disk>, Path::new(PATH)).unwrap();
    let entity = invited(1).entity;
    for n in 1..20 {
        own.invite(&code(n), invited(1), NOW_MS).unwrap();
        own.redeem(&code(n), token(n), NOW_MS).unwrap();
        let newest = own.newest_of(&entity).unwrap();
        assert_eq!(newest.ended, Some((Ended::Used(token(n)), NOW_MS)));
    }
    let again = Invitations::open(disk, Path::new(PATH)).unwrap();
    assert_eq!(again.newest_of(&entity), own.newest_of(&entity));
}

#[test]
fn many_who_use_one_at_once_are_given_one_token() {
    let disk = Arc::new(FaultyDisk::default());
    let own = Invitations::create(disk, Path::new(PATH)).unwrap();
    own.invite(&code(1), invited(1), NOW_MS).unwrap();
    let given = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|n| {
                let own = &own;
                scope.spawn(move || own.redeem(&code(1), token(n), NOW_MS).is_ok())
            })
            .collect();
        let answered = all.into_iter().map(|it| it.join().unwrap());
        answered.filter(|is_given| *is_given).count()
    });
    assert_eq!(given, 1);
}

#[test]
fn a_power_cut_at_any_call_keeps_what_was_answered_and_gives_nothing_twice() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let own = Invitations::create(Arc::new(disk.clone()), Path::new(PATH)).unwrap();
        disk.cut_after(call);
        let (mut made, mut used) = (Vec::new(), Vec::new());
        let mut story = || -> Result<(), Failed> {
            for n in 1..4 {
                own.invite(&code(n), invited(n), NOW_MS)?;
                made.push(n);
            }
            own.redeem(&code(1), token(1), NOW_MS)?;
            used.push(1);
            own.redeem(&code(2), token(2), NOW_MS)?;
            used.push(2);
            Ok(())
        };
        let finished = story().is_ok();
        for aftermath in AFTERMATHS {
            let disk = Arc::new(disk.after_power_cut(aftermath));
            let own = Invitations::open(disk, Path::new(PATH)).unwrap();
            for n in &used {
                assert!(
                    own.redeem(&code(*n), token(8), NOW_MS).is_err(),
                    "{n} twice"
                );
            }
            // Whether 1 and 2 were used is not known where nobody was answered.
            for n in made.iter().filter(|n| **n == 3) {
                assert!(own.look(&code(*n), NOW_MS).is_ok());
            }
        }
        if finished {
            assert!(call > 8, "only {call} calls were cut");
            break;
        }
    }
}

#[test]
fn a_line_that_says_what_cannot_be_is_damage() {
    let end = Line::Revoked {
        code_hash: hash_of(&code(1)),
        at_ms: NOW_MS,
    };
    let mut rows = Rows::new();
    let read = |rows: &mut Rows, line: &[u8]| read_line(rows, Path::new(PATH), line);
    let damaged = |read: Result<(), Store>| matches!(read, Err(Store::Damaged { .. }));
    assert!(damaged(read(&mut rows, &encode::encode(&end))));
    assert!(damaged(read(&mut rows, &[7, 7])));
}
