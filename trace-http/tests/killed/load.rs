//! Everybody who asks, all at once, around whatever befalls the server.

use std::thread;

use crate::{
    DEVICES, HOLDERS, door::Door, loggers::Logger, orders::Holder, program::Program,
    signers::Device, town::Town,
};

/// Those who asked, and what they hold.
pub struct Load {
    pub devices: Vec<Device>,
    pub holders: Vec<Holder>,
    pub loggers: Vec<Logger>,
    /// How many servers answered devices.
    pub servers: usize,
}

/// All of them ask while `befall` opens servers and ends them; the last one answers
/// what is left, and is held to what each before it answered.
pub fn under_load(town: &Town, seed: u64, befall: impl FnOnce(&Door) -> Program) -> Load {
    let door = Door::default();
    let load = thread::scope(|scope| {
        let _ends = door.ends_with_this();
        let devices: Vec<_> = (0..DEVICES)
            .map(|place| {
                let mut device = Device::new(town, place, seed);
                let door = &door;
                scope.spawn(move || {
                    device.work(door);
                    device
                })
            })
            .collect();
        let holders: Vec<_> = (0..HOLDERS)
            .map(|place| {
                let mut holder = Holder::new(town, place);
                let door = &door;
                scope.spawn(move || {
                    holder.work(door);
                    holder
                })
            })
            .collect();
        let loggers: Vec<_> = town
            .probes
            .iter()
            .map(|probe| {
                let mut logger = Logger::new(town, *probe, seed);
                let door = &door;
                scope.spawn(move || {
                    logger.work(door);
                    logger
                })
            })
            .collect();
        let server = befall(&door);
        door.finish();
        let devices: Vec<_> = devices.into_iter().map(|it| it.join().unwrap()).collect();
        let holders: Vec<_> = holders.into_iter().map(|it| it.join().unwrap()).collect();
        let loggers: Vec<_> = loggers.into_iter().map(|it| it.join().unwrap()).collect();
        let servers = town.check_over_http(&server, &devices);
        for holder in &holders {
            holder.ask_all_again(&server);
        }
        server.kill();
        Load {
            devices,
            holders,
            loggers,
            servers,
        }
    });
    town.audit();
    load
}

impl Load {
    /// Opens what is left and holds it to everything that was answered; how many
    /// entries there are.
    pub fn check(&self, town: &Town) -> u64 {
        town.check(&self.devices, &self.holders, &self.loggers)
    }

    /// How many records, orders and readings were acknowledged.
    pub fn acknowledged(&self) -> [usize; 3] {
        [
            self.devices.iter().map(|it| it.acknowledged.len()).sum(),
            self.holders.iter().map(|it| it.done.len()).sum(),
            self.loggers.iter().map(|it| it.acknowledged.len()).sum(),
        ]
    }
}
