//! Each sort of open question, raised once and once not; balances of entities
//! and areas over periods; and what a grade is counted from.

use std::collections::BTreeMap;
use trace_core::error::Rule;
use trace_core::ident::{Area, CivilDate, EntityId, TraceCode};
use trace_core::ledger::balances::{self, Period, ProductBalance};
use trace_core::ledger::conduct;
use trace_core::ledger::questions::{self, About, Asked, Page, Question};
use trace_core::record::kinds::received::{Outcome, ReceivedTrade};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Manner, Process};
use trace_core::record::quantity::BaseUnit;
use trace_core::record::section::Openings;
use trace_core::record::{Body, Quantity, Signed};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A stage on which something is said.
struct Scene(Stage);

impl Scene {
    fn new() -> Self {
        Self(Stage::new())
    }

    fn say(&mut self, who: Who, (body, openings): (impl Into<Body>, Openings)) -> Signed {
        let submission = self.0.world.sign(who, body, openings);
        let signed = submission.signed.clone();
        self.0.admit(submission);
        signed
    }

    fn say_bare(&mut self, who: Who, body: impl Into<Body>) -> Signed {
        self.say(who, (body, Openings::default()))
    }

    /// 1,000 斤 of leeks of the producer's.
    fn unit(&mut self) -> UnitCreated {
        let unit = self.0.world.unit();
        self.say_bare(Who::Producer, unit.clone());
        unit
    }

    /// A certificate of so much of a unit, valid to the end of a day.
    fn certificate(&mut self, unit: &UnitCreated, text: &str, last: Option<CivilDate>) -> String {
        let (mut body, openings) = self.0.world.certificate(unit);
        body.0.quantity = Quantity::parse(text).unwrap();
        body.0.expires_on = last.map(Into::into);
        let number = body.0.number.clone();
        self.say(Who::Producer, (body, openings));
        number
    }

    fn give(&mut self, unit: TraceCode, to: Who, text: &str, number: Option<&str>) -> Signed {
        let (mut body, openings) = self.0.world.handed_over(unit, to, text);
        body.certificate = number.map(str::to_owned);
        self.say(Who::Producer, (body, openings))
    }

    fn receive(&mut self, by: Who, unit: TraceCode, given: &Signed, text: &str) {
        let received = self.0.world.received(unit, given, text);
        self.say(by, received);
    }

    fn days_pass(&mut self, days: u64) {
        self.0.world.now_ms += days * DAY_MS;
        self.0.tick();
    }

    fn page(&self, about: About, after: Option<&str>, limit: usize) -> Page {
        let asked = Asked {
            about,
            after,
            limit,
            today: self.0.world.today(),
            area: Some(Area::HEBEI),
        };
        questions::page(&self.0.view(), asked, |_| Ok(true)).unwrap()
    }

    /// All of them, two to a page.
    fn ask(&self, about: About) -> Vec<Question> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.page(about, after.as_deref(), 2);
            found.extend(page.questions);
            match page.next_after {
                None => return found,
                next => {
                    assert_ne!(next, after, "it goes on");
                    after = next;
                }
            }
        }
    }

    fn balance(&self, who: Who, period: Period) -> BTreeMap<String, ProductBalance> {
        let entity = self.0.world.id(who);
        by_product(balances::of_entity(&self.0.view(), entity, period).unwrap())
    }

    fn of_area(&self, area: Area, period: Period) -> BTreeMap<String, ProductBalance> {
        by_product(balances::of_area(&self.0.view(), area, period).unwrap())
    }

    fn until_today(&self) -> Period {
        Period {
            first: None,
            last: self.0.world.today(),
        }
    }
}

fn by_product(found: Vec<ProductBalance>) -> BTreeMap<String, ProductBalance> {
    found
        .into_iter()
        .map(|it| (it.product.clone(), it))
        .collect()
}

fn days(question: &Question) -> Vec<String> {
    question
        .days
        .iter()
        .map(|(_, day)| day.to_string())
        .collect()
}

#[test]
fn a_use_after_a_certificates_last_day_is_a_question_and_one_on_it_is_none() {
    let mut scene = Scene::new();
    let unit = scene.unit();
    let last = scene.0.world.today().add_days(1).unwrap();
    let number = scene.certificate(&unit, "500 斤", Some(last));
    scene.days_pass(1);
    scene.give(unit.unit, Who::Buyer, "10 斤", Some(&number));
    assert_eq!(scene.ask(About::Expired), []);
    scene.days_pass(1);
    let late = scene.give(unit.unit, Who::Buyer, "20 斤", Some(&number));
    // What goes without a certificate uses none.
    scene.give(unit.unit, Who::Buyer, "30 斤", None);
    let found = scene.ask(About::Expired);
    let [question] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(question.record.map(|(_, hash)| hash), Some(late.hash()));
    assert_eq!(question.certificate.as_deref(), Some(number.as_str()));
    assert_eq!(question.number("amount"), 10_000);
    let today = scene.0.world.today().to_string();
    assert_eq!(days(question), [last.to_string(), today]);
}

#[test]
fn a_certificate_is_a_question_while_it_covers_less_than_there_is() {
    let mut scene = Scene::new();
    // 100 of 1,000 are certified: nine tenths of that go, and there is far more.
    let unit = scene.unit();
    let number = scene.certificate(&unit, "100 斤", None);
    scene.give(unit.unit, Who::Buyer, "89 斤", Some(&number));
    assert_eq!(scene.ask(About::Certificates), []);
    scene.give(unit.unit, Who::Buyer, "1 斤", Some(&number));
    let found = scene.ask(About::Certificates);
    let [question] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(question.number("left"), 5_000);
    assert_eq!(question.number("goods"), 455_000);
    assert_eq!(question.number("certified"), 50_000);
    // A certificate of all of it that is used up was simply used.
    let whole = scene.unit();
    let all = scene.certificate(&whole, "1000 斤", None);
    scene.give(whole.unit, Who::Buyer, "950 斤", Some(&all));
    assert_eq!(scene.ask(About::Certificates).len(), 1);
    // At markets it is told the same.
    let unit = scene.unit();
    scene.certificate(&unit, "100 斤", None);
    assert_eq!(scene.ask(About::Certificates).len(), 1);
}

#[test]
fn a_transfer_is_a_question_from_the_day_after_its_last_until_it_is_received() {
    let mut scene = Scene::new();
    let unit = scene.unit();
    let adopted = scene.0.world.tolerance_adopted(&unit);
    scene.say_bare(Who::Root, adopted);
    let given: Vec<Signed> = (0..5)
        .map(|_| scene.give(unit.unit, Who::Buyer, "10 斤", None))
        .collect();
    scene.receive(Who::Buyer, unit.unit, &given[0], "10 斤");
    scene.days_pass(3);
    assert_eq!(scene.ask(About::Transfers), []);
    scene.days_pass(1);
    let open = |scene: &Scene| -> Vec<_> {
        let found = scene.ask(About::Transfers);
        found.iter().map(|it| it.record.unwrap().1).collect()
    };
    let wanted: Vec<_> = given[1..].iter().map(Signed::hash).collect();
    assert_eq!(
        open(&scene),
        wanted,
        "in the order of the log, page by page"
    );
    scene.receive(Who::Buyer, unit.unit, &given[2], "10 斤");
    assert_eq!(open(&scene).len(), 3);
    for place in [1, 3, 4] {
        scene.receive(Who::Buyer, unit.unit, &given[place], "10 斤");
    }
    assert_eq!(open(&scene), []);
}

#[test]
fn a_volume_of_three_times_the_usual_is_a_question_and_less_is_none() {
    let mut scene = Scene::new();
    let unit = scene.unit();
    for _ in 0..4 {
        scene.certificate(&unit, "10 斤", None);
        scene.days_pass(7);
    }
    // Behind these four weeks a week of 29, then of 30.
    scene.days_pass(6);
    scene.certificate(&unit, "29 斤", None);
    // The oldest week is the usual's first day just now.
    let jumped = |scene: &Scene| scene.ask(About::Volumes);
    let before = jumped(&scene);
    scene.certificate(&unit, "1 斤", None);
    let found = jumped(&scene);
    let producer = scene.0.world.id(Who::Producer);
    let [question] = found.as_slice() else {
        panic!("{before:?} {found:?}");
    };
    assert_eq!(question.entity, producer);
    assert_eq!(question.number("certified"), 15_000);
    assert_eq!(question.number("certificates"), 2);
    assert_eq!(before, []);
    // Whoever did not certify before has no usual volume to be held against.
    for _ in 0..3 {
        scene.days_pass(25);
        scene.unit();
    }
    scene.certificate(&unit, "100 斤", None);
    assert_eq!(jumped(&scene), []);
}

#[test]
fn a_finding_is_a_question_from_the_day_after_its_last_until_it_is_put_right() {
    let mut scene = Scene::new();
    let inspection = scene.0.world.inspection(Who::Producer, &[1, 1, 30]);
    let inspection = scene.say(Who::Inspector, inspection);
    scene.days_pass(1);
    assert_eq!(scene.ask(About::Findings), []);
    scene.days_pass(1);
    let found = scene.ask(About::Findings);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].number("days_overdue"), 1);
    assert!(found[0].text.is_some(), "{found:?}");
    let rectified = scene
        .0
        .world
        .finding_rectified(Who::Producer, inspection.hash(), 0);
    scene.say_bare(Who::Inspector, rectified);
    let found = scene.ask(About::Findings);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number("position"), 1);
}

#[test]
fn what_is_not_shown_is_passed_over_and_a_place_that_is_none_is_refused() {
    let mut scene = Scene::new();
    let inspection = scene.0.world.inspection(Who::Producer, &[0]);
    scene.say(Who::Inspector, inspection);
    scene.days_pass(1);
    let view = scene.0.view();
    let asked = |about, after| Asked {
        about,
        after,
        limit: 10,
        today: scene.0.world.today(),
        area: None,
    };
    let all = questions::page(&view, asked(About::Findings, None), |_| Ok(true));
    assert_eq!(all.unwrap().questions.len(), 1);
    let none = questions::page(&view, asked(About::Findings, None), |_| Ok(false));
    assert_eq!(none.unwrap(), Page::default());
    for about in About::ALL {
        for after in ["x", "", "-1", "1-x-y"] {
            let refused = questions::page(&view, asked(about, Some(after)), |_| Ok(true));
            assert!(refused.is_err(), "{about:?} {after}");
        }
        let page = questions::page(&view, asked(about, None), |_| Ok(true)).unwrap();
        assert_eq!(page.next_after, None, "{about:?}");
    }
}

#[test]
fn a_balance_says_what_came_went_and_is_held_by_product_and_period() {
    let mut scene = Scene::new();
    let first_day = scene.0.world.today();
    let unit = scene.unit();
    let output = scene.0.world.output(&unit);
    let half = output.unit;
    let split = scene.0.world.transformed(
        Process::Split,
        &[(unit.unit, "600 斤")],
        vec![(output, "590 斤")],
        Some("10 斤"),
    );
    scene.say(Who::Producer, split);
    let given = scene.give(half, Who::Buyer, "300 斤", None);
    scene.days_pass(1);
    scene.receive(Who::Buyer, half, &given, "300 斤");
    let sold = scene.0.world.disposed(half, Manner::Sold, "100 斤");
    scene.say(Who::Buyer, sold);

    let all = scene.until_today();
    let of = |found: &BTreeMap<String, ProductBalance>| found["韭菜"].clone();
    let producer = of(&scene.balance(Who::Producer, all));
    assert_eq!(producer.base, BaseUnit::Gram);
    assert_eq!(producer.flow.made, 500_000 + 295_000);
    assert_eq!(producer.flow.transformed, 300_000);
    assert_eq!(producer.flow.handed_over.all(), 150_000);
    assert_eq!(producer.held, 500_000 + 295_000 - 300_000 - 150_000);
    let buyer = of(&scene.balance(Who::Buyer, all));
    assert_eq!(buyer.flow.received.all(), 150_000);
    assert_eq!(buyer.flow.sold, 50_000);
    assert_eq!((buyer.held_before, buyer.held), (0, 100_000));
    // Of the first day alone nothing came to the buyer; of the second alone the
    // producer did nothing, and holds what it held.
    let first = Period {
        first: None,
        last: first_day,
    };
    assert_eq!(scene.balance(Who::Buyer, first), BTreeMap::new());
    let second = Period {
        first: Some(scene.0.world.today()),
        last: scene.0.world.today(),
    };
    let later = of(&scene.balance(Who::Producer, second));
    assert_eq!(later.flow, Default::default());
    assert_eq!(
        (later.held_before, later.held),
        (producer.held, producer.held)
    );

    // An area is all in it; what moved within it crossed no border.
    let city = of(&scene.of_area(Area::LANGFANG, all));
    assert_eq!(city.held, producer.held + buyer.held);
    assert_eq!(city.flow.received.across(Area::LANGFANG), 0);
    let county = scene.0.world.entity(Who::Producer).area;
    let same = scene.0.world.entity(Who::Buyer).area == county;
    let came = city.flow.received.across(county);
    assert_eq!(came, if same { 0 } else { 150_000 });
    let before = of(&scene.of_area(Area::LANGFANG, first));
    assert_eq!(before.held, producer.held, "150 kg are on their way");
    let since = of(&scene.of_area(Area::LANGFANG, second));
    assert_eq!((since.held_before, since.held), (before.held, city.held));
    let elsewhere = Area::try_from(440_000).unwrap();
    assert_eq!(scene.of_area(elsewhere, all), BTreeMap::new());
    let nobody = EntityId::from_bytes([9; 10]);
    let nothing = balances::of_entity(&scene.0.view(), nobody, all).unwrap();
    assert_eq!(nothing, []);
}

#[test]
fn a_unit_that_is_voided_is_no_more_held() {
    let mut scene = Scene::new();
    let unit = scene.0.world.unit();
    let made = scene.say_bare(Who::Producer, unit.clone());
    let voided = scene.0.world.voided(&made);
    scene.say_bare(Who::Producer, voided);
    let balance = scene.balance(Who::Producer, scene.until_today());
    let leeks = &balance["韭菜"];
    assert_eq!((leeks.flow.made, leeks.flow.withdrawn), (500_000, 500_000));
    assert_eq!(leeks.held, 0);
}

#[test]
fn a_grade_is_counted_from_what_the_ledger_holds_of_the_entity_alone() {
    let mut scene = Scene::new();
    let unit = scene.unit();
    let adopted = scene.0.world.tolerance_adopted(&unit);
    scene.say_bare(Who::Root, adopted);
    let counted = |scene: &Scene, who| {
        let entity = scene.0.world.id(who);
        conduct::counted(&scene.0.view(), entity, 365, scene.0.world.today()).unwrap()
    };
    assert_eq!(counted(&scene, Who::Producer), Default::default());

    let inspection = scene.0.world.inspection(Who::Producer, &[0, 0, 30]);
    let inspection = scene.say(Who::Inspector, inspection);
    let given = scene.give(unit.unit, Who::Buyer, "100 斤", None);
    let trade = ReceivedTrade {
        accepted: Some(Quantity::parse("50 斤").unwrap()),
        missing: Some(Quantity::parse("50 斤").unwrap()),
        refused: None,
        excess: None,
    };
    let short = scene
        .0
        .world
        .received_as(unit.unit, given.hash(), Outcome::Short, &trade);
    scene.say(Who::Buyer, short);
    scene.give(unit.unit, Who::Buyer, "10 斤", None);
    scene.days_pass(4);
    let rectified = scene
        .0
        .world
        .finding_rectified(Who::Producer, inspection.hash(), 1);
    scene.say_bare(Who::Inspector, rectified);
    let recalled = scene.0.world.recalled(unit.unit);
    scene.say_bare(Who::Producer, recalled);

    let producer = counted(&scene, Who::Producer);
    assert_eq!(producer.findings_overdue, 1);
    assert_eq!(producer.findings_late, 1);
    assert_eq!(producer.findings_open, 1);
    assert_eq!(producer.recalls, 1);
    assert_eq!(producer.transfers_overdue, 0, "the receiver's to record");
    let buyer = counted(&scene, Who::Buyer);
    assert_eq!(buyer.transfers_overdue, 1);
    // 49 of the 100 that came are beyond the hundredth that may be missing.
    assert_eq!(buyer.unexplained_per_mille, 490);
    assert_eq!(buyer.recalls, 0);
    // A year later what stands stands, and what is past counts no more.
    scene.days_pass(366);
    let later = counted(&scene, Who::Producer);
    assert_eq!((later.recalls, later.findings_late), (0, 0));
    assert_eq!(later.findings_overdue, 2);
    assert_eq!(counted(&scene, Who::Buyer).unexplained_per_mille, 0);
    let refused = trace_core::rules::grading::formula(0).unwrap_err();
    assert_eq!(refused.rule, Rule::Range);
}
