//! A ledger with a cold store: a zone with two probes, a unit in it, readings
//! beside the log, and segments sealed on it.

use trace_core::ident::{EquipmentId, TraceCode};
use trace_core::ledger::bundling;
use trace_core::ledger::cold_chain::{Kept, kept, to_seal};
use trace_core::ledger::readings::{READINGS_FILE, Readings, Settings};
use trace_core::proof::bundle::{Bundle, ProvedKept, Told, Verdict};
use trace_core::record::cold_chain::EquipmentKind;
use trace_core::record::kinds::Body;
use trace_core::record::kinds::segment_sealed::SegmentSealed;
use trace_core::record::temperature::Reading;
use trace_core::rules::ColdFacts;
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

pub const MINUTE_MS: u64 = 60_000;

pub struct Store {
    pub stage: Stage,
    pub readings: Readings,
    pub zone: EquipmentId,
    pub probes: Vec<EquipmentId>,
    pub unit: TraceCode,
    /// The hour from which readings are made, a while before the unit came.
    pub from_ms: u64,
}

impl Store {
    /// Nothing read yet; the unit was placed in the zone at [`Store::placed_ms`].
    pub fn new() -> Self {
        let mut stage = Stage::new();
        let readings = Readings::create(&stage.folder().join(READINGS_FILE), Settings::default());
        let policy = stage.world.temperature_policy("chilled");
        stage.say(Who::Root, policy);
        let store = stage.registered(EquipmentKind::ColdStore, None);
        let zone = stage.registered(EquipmentKind::Zone, Some(store));
        let of_zone = |stage: &mut Stage| stage.registered(EquipmentKind::Probe, Some(zone));
        let mut probes = vec![of_zone(&mut stage), of_zone(&mut stage)];
        probes.sort_unstable();
        let unit = stage.world.unit();
        stage.say(Who::Producer, unit.clone());
        let (body, openings) = stage.world.warehouse_in(unit.unit, "100 斤");
        let entered = stage.world.sign(Who::ColdStore, body, openings);
        stage.admit(entered);
        let from_ms = stage.world.now_ms;
        stage.world.now_ms += 60 * MINUTE_MS;
        let mut own = Self {
            stage,
            readings: readings.unwrap(),
            zone,
            probes,
            unit: unit.unit,
            from_ms,
        };
        own.place(zone);
        own
    }

    /// When the unit came into the zone.
    pub fn placed_ms(&self) -> u64 {
        self.from_ms + 60 * MINUTE_MS
    }

    pub fn say(&mut self, who: Who, body: impl Into<Body>) -> u64 {
        self.stage.say(who, body)
    }

    /// The unit is placed there now.
    pub fn place(&mut self, equipment: EquipmentId) -> u64 {
        let body = self.stage.world.placed(self.unit, equipment, "chilled");
        self.say(Who::ColdStore, body)
    }

    /// The unit is taken out of there now.
    pub fn take_out(&mut self, equipment: EquipmentId) -> u64 {
        let body = self.stage.world.taken_out(self.unit, equipment);
        self.say(Who::ColdStore, body)
    }

    /// So many minutes pass.
    pub fn wait(&mut self, minutes: u64) {
        self.stage.world.now_ms += minutes * MINUTE_MS;
        self.stage.tick();
    }

    /// A vehicle with a probe.
    pub fn vehicle(&mut self) -> (EquipmentId, EquipmentId) {
        let vehicle = self.stage.registered(EquipmentKind::Vehicle, None);
        let probe = self.stage.registered(EquipmentKind::Probe, Some(vehicle));
        (vehicle, probe)
    }

    pub fn read(&self, probe: EquipmentId, readings: &[Reading]) {
        let batch = vec![(probe, readings.to_vec())];
        self.readings.append(batch, u64::MAX, 0).unwrap();
    }

    /// The probe's oldest readings up to a time become its next segment; the index
    /// of its record.
    pub fn seal(&mut self, probe: EquipmentId, until_ms: u64) -> u64 {
        let state = self.stage.view().folded().equipment(&probe).unwrap();
        let expected = state.unwrap().next_segment;
        let segment = to_seal(&self.readings, &probe, expected, until_ms).unwrap();
        let index = self.say(Who::ColdStore, SegmentSealed::of(segment, None));
        self.readings.confirm(&probe, expected).unwrap();
        index
    }

    /// The time of a probe's first reading that no segment holds.
    pub fn first_unsealed_ms(&self, probe: EquipmentId) -> Option<u64> {
        let unsealed = self.readings.unsealed(None, 1_000).unwrap();
        let own = unsealed.into_iter().find(|(it, _)| *it == probe);
        own.map(|(_, first_ms)| first_ms)
    }

    /// How the unit was kept, as the ledger tells it now.
    pub fn kept(&self) -> Kept {
        let now_ms = self.stage.world.now_ms;
        let kept = kept(&self.stage.view(), &self.readings, &self.unit, now_ms);
        kept.unwrap().unwrap()
    }

    pub fn bundle(&self) -> Bundle {
        let (view, signer) = (self.stage.view(), self.stage.ledger.signer());
        let now_ms = self.stage.world.now_ms;
        let made = bundling::bundle_with(&view, signer, self.unit, &self.readings, now_ms);
        let bundle = made.unwrap().unwrap();
        // Whatever is made is read again as it is.
        Bundle::decode(&bundle.encode()).unwrap()
    }

    pub fn verdict(&self, bundle: &Bundle) -> Verdict {
        let verified = bundle.verify(&self.stage.anchor(), &[], self.stage.today());
        verified.unwrap()
    }

    /// How the unit was kept, from a bundle alone.
    pub fn proved(&self) -> ProvedKept {
        match self.verdict(&self.bundle()).told {
            Told::Kept(proved) => *proved,
            other => panic!("{other:?}"),
        }
    }

    /// The same from the bundle, which must be what the ledger tells but for until
    /// when readings are sealed: a bundle knows it of the stay's segments alone.
    pub fn agreed(&self) -> ProvedKept {
        let proved = self.proved();
        let without = |kept: &Kept| {
            let mut kept = kept.clone();
            let stays = kept.stays.iter_mut();
            stays.for_each(|stay| stay.sealed_until_ms = None);
            kept
        };
        assert_eq!(without(&proved.kept), without(&self.kept()));
        proved
    }
}
