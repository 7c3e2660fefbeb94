//! Logs that the ledger signed in earnest: what happens to goods, who may say
//! it, and records that should never have been admitted.

use super::compared::{Case, agreed};
use super::forger::Forger;
use trace_core::ident::TraceCode;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Process, RecallOutcome};
use trace_core::record::{Body, Hash, Origin, Signed, Status, SubjectId};
use trace_fixtures::Who;

/// The forger after a unit and its certificate, and the two records.
struct Scene<'a> {
    forger: &'a mut Forger,
    unit: UnitCreated,
    created: Signed,
    certified: Signed,
}

type Act = fn(&mut Scene<'_>);

impl Scene<'_> {
    fn say(&mut self, who: Who, body: impl Into<Body>) -> Signed {
        self.forger.say(who, body)
    }

    fn code(&self) -> TraceCode {
        self.unit.unit
    }

    fn certificate(&mut self, who: Who) {
        let (body, _) = self.forger.world.certificate(&self.unit);
        self.say(who, body);
    }

    fn void(&mut self, who: Who) -> Signed {
        let body = self.forger.world.voided(&self.certified);
        self.say(who, body)
    }

    fn recall(&mut self, who: Who) -> Signed {
        let body = self.forger.world.recalled(self.code());
        self.say(who, body)
    }

    fn hold(&mut self, who: Who) -> Signed {
        let body = self.forger.world.held(self.code());
        self.say(who, body)
    }

    /// A key of the producer's, compromised from so many records ago.
    fn compromised(&mut self, ago: u64) {
        let key = self.forger.world.key_id(Who::Producer);
        let mut body = self.forger.world.key_revoked(Who::Producer, key);
        let size = self.forger.entries.len() as u64;
        body.compromised_from_index = Some(size.saturating_sub(ago));
        self.say(Who::CountyAuthority, body);
    }

    /// Made of another unit, which then is what a bundle is asked about.
    fn made_of_another(&mut self) -> TraceCode {
        let source = self.code();
        let output = self.forger.world.output(&self.unit);
        let made = output.unit;
        let outputs = vec![(output, "10 斤")];
        let (body, _) =
            self.forger
                .world
                .transformed(Process::Repack, &[(source, "10 斤")], outputs, None);
        self.say(Who::Producer, body);
        self.forger.stated.insert(SubjectId::marks(made));
        self.unit.unit = made;
        source
    }

    fn twisted(&mut self, change: impl Fn(&mut trace_core::record::Statement)) {
        let body = self.forger.world.voided(&self.certified);
        self.forger.twist(Who::Producer, body, change);
    }

    /// Another unit with this changed, by the same maker, named by the bundle's
    /// signer and so part of it.
    fn misshapen(&mut self, change: impl Fn(&mut UnitCreated)) {
        let mut unit = self.forger.world.unit();
        change(&mut unit);
        self.say(Who::Producer, unit);
    }
}

/// What happens, and how the first verifier's word begins.
const SCENES: &[(&str, &str, Act)] = &[
    ("nothing more", "valid", |_| {}),
    ("voided by its issuer", "voided", |it| {
        drop(it.void(Who::Producer))
    }),
    ("voided by the county", "voided", |it| {
        drop(it.void(Who::CountyAuthority))
    }),
    ("voided by another county", "inadmissible", |it| {
        drop(it.void(Who::OtherCountyAuthority))
    }),
    ("voided by a buyer", "inadmissible", |it| {
        drop(it.void(Who::Buyer))
    }),
    ("the unit voided", "voided", |it| {
        let body = it.forger.world.unit_voided(&it.created.clone());
        it.say(Who::Producer, body);
    }),
    ("recalled by the county", "recalled", |it| {
        drop(it.recall(Who::CountyAuthority))
    }),
    ("recalled by its maker", "recalled", |it| {
        drop(it.recall(Who::Producer))
    }),
    ("recalled by somebody else", "inadmissible", |it| {
        drop(it.recall(Who::Buyer))
    }),
    ("recalled, withdrawn", "valid", |it| {
        let recall = it.recall(Who::CountyAuthority);
        let body =
            it.forger
                .world
                .recall_closed(it.code(), recall.hash(), RecallOutcome::Withdrawn);
        it.say(Who::CountyAuthority, body);
    }),
    ("recalled, carried out", "recalled", |it| {
        let recall = it.recall(Who::CountyAuthority);
        let body =
            it.forger
                .world
                .recall_closed(it.code(), recall.hash(), RecallOutcome::Completed);
        it.say(Who::CountyAuthority, body);
    }),
    ("held by an inspector", "on_hold", |it| {
        drop(it.hold(Who::Inspector))
    }),
    ("held and released", "valid", |it| {
        let hold = it.hold(Who::Inspector);
        let body = it.forger.world.released(it.code(), hold.hash());
        it.say(Who::Inspector, body);
    }),
    ("released twice", "inadmissible", |it| {
        let hold = it.hold(Who::Inspector);
        for _ in 0..2 {
            let body = it.forger.world.released(it.code(), hold.hash());
            it.say(Who::Inspector, body);
        }
    }),
    ("released though never held", "incomplete", |it| {
        let body = it.forger.world.released(it.code(), Hash::of(&[b"nothing"]));
        it.say(Who::Inspector, body);
    }),
    ("replaced", "superseded", |it| {
        let certified = it.certified.clone();
        let body = it.forger.world.superseded(&certified, it.unit.unit);
        it.say(Who::Producer, body);
    }),
    ("replaced by a buyer", "inadmissible", |it| {
        let certified = it.certified.clone();
        let body = it.forger.world.superseded(&certified, it.unit.unit);
        it.say(Who::Buyer, body);
    }),
    ("disputed", "disputed", |it| it.compromised(2)),
    ("compromised later", "valid", |it| it.compromised(0)),
    ("compromised before it was enrolled", "inadmissible", |it| {
        it.compromised(10_000)
    }),
    ("revoked, and then signed with", "inadmissible", |it| {
        let key = it.forger.world.key_id(Who::Producer);
        let body = it.forger.world.key_revoked(Who::Producer, key);
        it.say(Who::CountyAuthority, body);
        it.void(Who::Producer);
    }),
    ("certified again by its maker", "valid", |it| {
        it.certificate(Who::Producer)
    }),
    ("certified by a stranger", "inadmissible", |it| {
        it.certificate(Who::Cooperative)
    }),
    ("certified without the role", "inadmissible", |it| {
        it.certificate(Who::ColdStore)
    }),
    ("made twice", "inadmissible", |it| {
        let again = it.unit.clone();
        it.say(Who::Producer, again);
    }),
    ("stored and taken out", "valid", |it| {
        let (into, _) = it.forger.world.warehouse_in(it.code(), "10 斤");
        it.say(Who::ColdStore, into);
        let (out, _) = it.forger.world.warehouse_out(it.code(), "10 斤");
        it.say(Who::ColdStore, out);
    }),
    ("handed over and received", "valid", |it| {
        let (handed, _) = it.forger.world.handed_over(it.code(), Who::Buyer, "10 斤");
        it.say(Who::Producer, handed);
    }),
    ("made of another", "valid", |it| {
        it.made_of_another();
    }),
    ("its source recalled after", "recalled", |it| {
        let source = it.made_of_another();
        let body = it.forger.world.recalled(source);
        it.say(Who::CountyAuthority, body);
    }),
    // Rules bar that, and an audit finds an operator who admits it; a mark reaches
    // by the acts that stood before it, in the ledger as here.
    ("its source recalled before", "valid", |it| {
        it.recall(Who::CountyAuthority);
        it.made_of_another();
    }),
    ("its source voided", "source_voided", |it| {
        it.made_of_another();
        let body = it.forger.world.unit_voided(&it.created.clone());
        it.say(Who::Producer, body);
    }),
    (
        "a certificate of its source voided",
        "source_voided",
        |it| {
            it.made_of_another();
            let body = it.forger.world.certificate_voided(&it.certified.clone());
            it.say(Who::Producer, body);
        },
    ),
    ("its certificate voided, with marks", "voided", |it| {
        let body = it.forger.world.certificate_voided(&it.certified.clone());
        it.say(Who::Producer, body);
    }),
    ("its source disputed", "disputed", |it| {
        it.made_of_another();
        it.compromised(3);
    }),
    ("a role withdrawn before", "inadmissible", |it| {
        let body = it
            .forger
            .world
            .role_withdrawn(Who::Producer, trace_core::record::Role::Producer);
        it.say(Who::CountyAuthority, body);
        it.void(Who::Producer);
    }),
    ("a root act by one key alone", "inadmissible", |it| {
        let body = it.forger.world.rule_set_adopted(4);
        let signed = it
            .forger
            .world
            .sign_countersigned(Who::Root, body, Default::default(), &[])
            .signed;
        it.forger.append(&signed);
    }),
    ("an unknown kind", "cannot_check", |it| {
        it.twisted(|own| own.kind = 0x7abc)
    }),
    ("the sequence of the last", "inadmissible", |it| {
        it.twisted(|own| own.sequence -= 1)
    }),
    ("another link", "inadmissible", |it| {
        it.twisted(|own| own.link = Hash::of(&[b"x"]))
    }),
    ("another ledger's record", "wrong_ledger", |it| {
        it.twisted(|own| own.origin = Origin::parse("other.example/trace").unwrap());
    }),
    ("subjects that hide", "inadmissible", |it| {
        it.twisted(|own| own.subjects.truncate(1))
    }),
    ("bytes behind the body", "inadmissible", |it| {
        it.twisted(|own| own.body.push(0))
    }),
    ("a body cut short", "inadmissible", |it| {
        it.twisted(|own| {
            own.body.pop();
        })
    }),
    ("a key that is not enrolled", "inadmissible", |it| {
        it.twisted(|own| own.key = Hash::of(&[b"nobody"]).into());
    }),
    ("signed with another key", "signature", |it| {
        let body: Body = it.forger.world.voided(&it.certified).into();
        let now_ms = it.forger.world.now_ms;
        let statement = it.forger.world.chain(Who::Producer).state(&body, now_ms);
        let signed = statement.sign(it.forger.world.chain(Who::Buyer).key());
        it.forger.append(&signed);
    }),
    ("admitted before the last", "inadmissible", |it| {
        let body = it.forger.world.voided(&it.certified);
        let signed = it.forger.world.sign_bare(Who::Producer, body).signed;
        it.forger.append_entry(signed.entry(1));
    }),
    ("bytes that are no entry", "inadmissible", |it| {
        it.forger.append_entry(vec![7; 300])
    }),
    ("a name that turns the writing", "inadmissible", |it| {
        it.misshapen(|unit| unit.product = "韭\u{202E}菜".into());
    }),
    ("a name with nothing seen", "inadmissible", |it| {
        it.misshapen(|unit| unit.origin_place = "廊坊\u{200B}".into());
    }),
    ("a name too long", "inadmissible", |it| {
        it.misshapen(|unit| unit.product = "长".repeat(61))
    }),
    ("a name not in form C", "inadmissible", |it| {
        it.misshapen(|unit| unit.product = "e\u{301}".into())
    }),
    ("a name that begins with a space", "inadmissible", |it| {
        it.misshapen(|unit| unit.storage = Some("\u{3000}冷".into()));
    }),
    ("no name", "inadmissible", |it| {
        it.misshapen(|unit| unit.product = String::new())
    }),
    ("markup in a name", "valid", |it| {
        it.misshapen(|unit| unit.product = "<script>alert(1)</script>".into());
    }),
    ("a day beyond the calendar", "inadmissible", |it| {
        it.misshapen(|unit| unit.produced_on.0 = 90_000)
    }),
    ("an area of nowhere", "inadmissible", |it| {
        it.misshapen(|unit| unit.origin_area = Some(trace_core::record::wire::AreaCode(7)));
    }),
    ("a lot with a space", "inadmissible", |it| {
        it.misshapen(|unit| unit.lot = Some("a b".into()))
    }),
];

fn case(name: &str, act: Act) -> Case {
    let (mut forger, unit, created, certified) = Forger::certified();
    forger.stated.insert(SubjectId::marks(unit.unit));
    let mut scene = Scene {
        forger: &mut forger,
        unit,
        created,
        certified,
    };
    act(&mut scene);
    let code = scene.code();
    Case {
        name: name.into(),
        bundle: forger.bundle(code),
        anchor: forger.anchor(),
        as_of: forger.world.today(),
    }
}

#[test]
fn both_verifiers_say_the_same_of_every_story_true_or_forged() {
    let cases: Vec<_> = SCENES
        .iter()
        .map(|(name, _, act)| case(name, *act))
        .collect();
    let found = agreed(&cases, None);
    for ((name, wanted, _), found) in SCENES.iter().zip(&found) {
        assert!(found.starts_with(wanted), "{name}: {found}");
    }
}

#[test]
fn a_record_withheld_is_missed_and_a_false_statement_passes_as_the_operators_word() {
    let (mut forger, unit, _, certified) = Forger::certified();
    forger.stated.insert(SubjectId::marks(unit.unit));
    let body = forger.world.voided(&certified);
    forger.say(Who::Producer, body);
    let size = forger.entries.len() as u64;
    let statement = forger.completeness();
    let mut cases = Vec::new();
    let mut add = |name: String, bundle: Vec<u8>| {
        cases.push(Case {
            name,
            bundle,
            anchor: forger.anchor(),
            as_of: forger.world.today(),
        });
    };
    for left_out in 0..size {
        let rest = (0..size).filter(|index| *index != left_out);
        add(
            format!("without {left_out}"),
            forger.bundle_of(unit.unit, &statement, rest),
        );
    }
    for subject in statement.subjects.keys() {
        let mut silent = statement.clone();
        silent.subjects.remove(subject);
        add(
            format!("silent on {}", subject.0),
            forger.bundle_of(unit.unit, &silent, 0..size),
        );
    }
    let mut lie = statement.clone();
    for list in lie.subjects.values_mut() {
        list.remove(&(size - 1));
    }
    add(
        "a void denied".into(),
        forger.bundle_of(unit.unit, &lie, 0..size - 1),
    );
    add(
        "a void denied and shown".into(),
        forger.bundle_of(unit.unit, &lie, 0..size),
    );
    let mut forked = statement;
    forked.checkpoint.root = Hash::ZERO;
    add(
        "two roots".into(),
        forger.bundle_of(unit.unit, &forked, 0..size),
    );
    let found = agreed(&cases, None);
    let last: Vec<_> = found.iter().rev().take(3).rev().collect();
    assert!(last[0].starts_with(Status::Valid.name()), "{last:?}");
    assert_eq!((last[1].as_str(), last[2].as_str()), ("fork", "fork"));
}
