//! Long work: bars on a terminal, and Ctrl-C that lets the group in hand end.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of so many steps on standard error; nothing where that is no terminal.
#[must_use]
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target());
    let template = "{msg} [{bar:32}] {human_pos}/{human_len} {per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

fn target() -> ProgressDrawTarget {
    match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    }
}

/// Whether Ctrl-C was pressed since [`Interrupt::watch`].
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C and SIGTERM are noted instead of ending the process;
    /// a second one ends it at once, which loses nothing that was answered.
    #[must_use]
    pub fn watch() -> Self {
        let interrupt = Self::default();
        let noted = Arc::clone(&interrupt.0);
        let watch = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                for is_second in [false, true] {
                    let Ok(signalled) = crate::server::signalled() else {
                        return;
                    };
                    signalled.await;
                    if is_second {
                        std::process::exit(130);
                    }
                    noted.store(true, Ordering::Relaxed);
                }
            });
        };
        // Without the thread Ctrl-C ends the process, as it does anyway.
        drop(
            std::thread::Builder::new()
                .name("signals".into())
                .spawn(watch),
        );
        interrupt
    }

    /// Whether to stop after what is in hand.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
